"""Chromium without a window, by the DevTools protocol over a pair of pipes: no port, no package."""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


class Chromium:
    """A browser of its own, which ends with the block."""

    SECONDS = 120

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="assay-chromium-")
        to_browser, self.writing = os.pipe()
        self.reading, from_browser = os.pipe()
        # --remote-debugging-pipe: the browser reads from descriptor 3 and writes to 4.
        command = 'exec 3<&"$0" 4>&"$1"; shift; exec "$@"'
        arguments = [
            "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
            f"--user-data-dir={self.profile}", "--remote-debugging-pipe", "about:blank",
        ]
        self.process = subprocess.Popen(
            ["bash", "-c", command, str(to_browser), str(from_browser), *arguments],
            pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        self.numbers = itertools.count(1)
        self.buffer = b""
        self.events = []
        return self

    def __exit__(self, *_):
        try:
            self.send("Browser.close")
        except (OSError, EOFError, TimeoutError):
            pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.writing)
        os.close(self.reading)
        shutil.rmtree(self.profile, ignore_errors=True)

    def send(self, method, session=None, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        rest = json.dumps(message).encode() + b"\0"
        while rest:
            rest = rest[os.write(self.writing, rest):]
        while True:
            answer = self.receive()
            if answer.get("id") != number:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def receive(self):
        end = time.monotonic() + self.SECONDS
        while b"\0" not in self.buffer:
            if not select.select([self.reading], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError(f"the browser says nothing for {self.SECONDS} s")
            data = os.read(self.reading, 1 << 20)
            if not data:
                raise EOFError("the browser has ended")
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)


class Page:
    """A document in a tab of its own."""

    def __init__(self, browser, url, width=1280, height=900, scheme="light", scripts=True):
        self.browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.media("", scheme)
        self.send("Emulation.setScriptExecutionDisabled", value=not scripts)
        browser.events.clear()
        self.send("Page.navigate", url=url)
        while not any(self.is_own(event, "Page.loadEventFired") for event in browser.events):
            browser.events.append(browser.receive())

    def is_own(self, event, method):
        return event.get("sessionId") == self.session and event.get("method") == method

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def media(self, media, scheme):
        self.send(
            "Emulation.setEmulatedMedia", media=media,
            features=[{"name": "prefers-color-scheme", "value": scheme}])

    def evaluate(self, expression):
        """The value of an expression, once what it promises is there."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, expression):
        """Waits until an expression holds."""
        for _ in range(200):
            if self.evaluate(expression):
                return True
            time.sleep(0.05)
        return False

    def complaints(self):
        """What the console shows: errors, warnings, violations of the policy, exceptions."""
        kinds = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        return [event["params"] for event in self.browser.events if any(self.is_own(event, kind) for kind in kinds)]

    def requests(self):
        return [
            event["params"]["request"]["url"] for event in self.browser.events
            if self.is_own(event, "Network.requestWillBeSent")
        ]

    def key(self, key, text=None):
        codes = {
            "Enter": 13, "Escape": 27, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
            " ": 32,
        }
        code = codes.get(key, ord(key[0].upper()))
        down = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = text or {"Enter": "\r"}.get(key) or (key if len(key) == 1 else None)
        self.send("Input.dispatchKeyEvent", type="keyDown", **down, **({"text": text} if text else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", **down)

    def write(self, text):
        self.send("Input.insertText", text=text)

    def point(self, expression):
        """The middle of an element, scrolled into view."""
        before = None
        # Sections that were not drawn yet get their size when they are first in view: until nothing moves any more.
        for _ in range(100):
            self.evaluate(f"({expression}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
            place = self.evaluate(
                f"(() => {{ const box = ({expression}).getBoundingClientRect(); "
                "return [box.x + box.width / 2, box.y + box.height / 2]; })()")
            if place == before:
                break
            before = place
            time.sleep(0.05)
        return place

    def move(self, expression):
        x, y = self.point(expression)
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, expression):
        x, y = self.point(expression)
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def screenshot(self, path, whole=False):
        parameters = {"captureBeyondViewport": True} if whole else {}
        if whole:
            size = self.send("Page.getLayoutMetrics")["cssContentSize"]
            parameters["clip"] = {
                "x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 12_000), "scale": 1}
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.send("Page.captureScreenshot", format="png", **parameters)["data"]))
