"""Looks at an HTML report in a real browser: report_page.py PAGE SCREENSHOTS

Prints a line for each test, and ends with 1 when one fails. PAGE has to have a check that fails and one that passes.
"""

import os
import pathlib
import sys
import traceback

import axe_core_python
from chromium import Chromium, Page

AXE = pathlib.Path(axe_core_python.__file__).parent / "axe.min.js"
VISIBLE = "[...document.querySelectorAll('[data-check]')].filter((e) => e.checkVisibility())"
OPEN_ALL = "document.querySelectorAll('details').forEach((e) => { e.open = true; })"


class Report:
    def __init__(self, browser, path, screenshots):
        self.browser = browser
        self.url = pathlib.Path(path).resolve().as_uri()
        self.screenshots = pathlib.Path(screenshots)

    def page(self, **options):
        return Page(self.browser, self.url, **options)


def equal(found, wanted):
    assert found == wanted, f"{found!r}, expected {wanted!r}"


def nothing_is_loaded_and_nothing_complains(report):
    page = report.page()
    page.evaluate(OPEN_ALL)
    page.screenshot(report.screenshots / "light.png")
    equal(page.complaints(), [])
    equal(page.requests(), [report.url])


def nothing_of_the_record_runs(report):
    page = report.page()
    equal(page.evaluate("document.scripts.length"), 1)
    equal(page.evaluate("document.querySelectorAll('img, iframe, object, embed, link, b[a]').length"), 0)
    equal(page.evaluate("[...document.querySelectorAll('*')].filter((e) => [...e.attributes].some("
                        "(a) => a.name.startsWith('on') || a.name === 'style')).length"), 0)


def without_scripts_everything_can_be_read(report):
    scripted = report.page()
    wanted = scripted.evaluate("document.querySelectorAll('[data-check]').length")
    page = report.page(scripts=False)
    # The protocol's own evaluation is not the page's script.
    assert page.evaluate("document.getElementById('filter').hidden")
    equal(page.evaluate("document.querySelectorAll('[data-check]').length"), wanted)
    closed = "document.querySelector('details.check:not([open]) > summary')"
    assert page.evaluate(f"{closed} !== null")
    mark = f"(() => {{ const e = {closed}.parentElement; for (let p = e.parentElement; p; p = p.parentElement) " \
           "if (p.tagName === 'DETAILS') p.open = true; e.id = 'tried'; })()"
    page.evaluate(mark)
    page.click("document.querySelector('#tried > summary')")
    assert page.evaluate("document.getElementById('tried').open"), "a click opens no details"
    # Whatever is closed is there: nothing waits for a script.
    page.evaluate(OPEN_ALL)
    equal(page.evaluate("[...document.querySelectorAll('main *')].filter((e) => !e.checkVisibility()"
                        " && !e.closest('form, svg')).length"), 0)


def outcomes_filter_by_mouse(report):
    page = report.page()
    before = page.evaluate("document.querySelectorAll('[data-check]:not([hidden])').length")
    page.click("document.querySelector('[data-outcome=fail]')")
    assert page.until(f"{VISIBLE}.length > 0")
    assert page.evaluate(f"{VISIBLE}.every((e) => e.dataset.check.split(' ').includes('fail'))")
    equal(page.evaluate("document.querySelector('[data-outcome=fail]').getAttribute('aria-pressed')"), "true")
    assert page.evaluate("/^\\d+ checks? shown$/.test(document.getElementById('shown').textContent)")
    page.click("document.querySelector('[data-outcome=pass]')")
    assert page.evaluate(f"{VISIBLE}.some((e) => e.dataset.check.split(' ').includes('pass'))")
    page.click("document.querySelector('[data-outcome=fail]')")
    page.click("document.querySelector('[data-outcome=pass]')")
    equal(page.evaluate("document.querySelectorAll('[data-check]:not([hidden])').length"), before)


def search_by_keyboard(report):
    page = report.page()
    name = page.evaluate("document.querySelector('[data-check=pass] code, [data-check=pass] th a').textContent")
    page.key("/")
    equal(page.evaluate("document.activeElement.id"), "query")
    page.write(name.lower())
    assert page.until("document.getElementById('shown').textContent !== ''")
    assert page.evaluate(f"{VISIBLE}.length >= 1")
    assert page.evaluate(f"{VISIBLE}.every((e) => e.textContent.includes({name!r}))")
    page.write(" no such words")
    assert page.until("document.getElementById('shown').textContent === '0 checks shown'")
    page.key("Escape")
    assert page.until("document.getElementById('shown').textContent === ''")


def outcomes_and_subjects_by_keyboard(report):
    page = report.page()
    page.evaluate("document.querySelector('[data-outcome=fail]').focus()")
    page.key(" ")
    equal(page.evaluate("document.querySelector('[data-outcome=fail]').getAttribute('aria-pressed')"), "true")
    page.key(" ")
    page.evaluate("document.getElementById('subject').focus()")
    page.key("ArrowDown")
    assert page.until("document.getElementById('subject').value === '0'")
    equal(page.evaluate("[...document.querySelectorAll('.group')].filter((e) => !e.hidden).length"), 1)


def everything_opens_and_closes(report):
    page = report.page()
    cards = "[...document.querySelectorAll('details[data-check]')]"
    page.click("document.getElementById('toggle')")
    assert page.until(f"{cards}.every((e) => e.open)")
    page.click("document.getElementById('toggle')")
    assert page.until(f"{cards}.every((e) => !e.open)")


def treemap_by_keyboard(report):
    page = report.page()
    page.evaluate(OPEN_ALL)
    page.evaluate("document.querySelector('.map .scroll').focus()")
    told = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.key(key)
        told.append(page.evaluate("document.querySelector('.readout').textContent"))
    assert all(text.startswith("layer ") for text in told), told
    assert len(set(told)) >= 2, told
    page.evaluate("document.querySelectorAll('details.layer').forEach((e) => { e.open = false; })")
    page.key("Enter")
    assert page.until("document.querySelector('details.layer[open]:target') !== null"), "Enter opens no layer"


def treemap_by_mouse(report):
    page = report.page()
    page.evaluate("document.querySelectorAll('details.image').forEach((e) => { e.open = true; })")
    page.move("document.querySelector('svg.treemap rect.tile')")
    page.move("[...document.querySelectorAll('svg.treemap rect.tile')].at(-1)"
              if page.evaluate("document.querySelectorAll('svg.treemap').length") == 1
              else "document.querySelector('svg.treemap rect.d1') ?? document.querySelector('svg.treemap rect.tile')")
    assert page.until("document.querySelector('.readout').textContent.startsWith('layer ')")
    page.click("document.querySelector('svg.treemap rect.tile')")
    assert page.until("document.querySelector('details.layer[open]:target') !== null"), "a click opens no layer"


def links_open_what_they_lead_to(report):
    page = report.page()
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = false; })")
    page.click("document.querySelector('.causes a[href^=\"#check-\"]')")
    assert page.until("document.querySelector('details.check[open]:target')?.checkVisibility() ?? false")


def nothing_is_wider_than_a_narrow_screen(report):
    for width in (360, 700, 1280):
        page = report.page(width=width)
        page.evaluate(OPEN_ALL)
        page.evaluate("document.querySelectorAll('.group').forEach((e) => { e.style.contentVisibility = 'visible'; })")
        equal(page.evaluate("document.documentElement.scrollWidth"), width)


def no_serious_violation_of_accessibility(report):
    for scheme in ("light", "dark"):
        page = report.page(scheme=scheme)
        page.evaluate("document.querySelectorAll('.causes, details.image, details.matrix, .check.fail, .layer, .probe')"
                      ".forEach((e) => { e.open = true; })")
        page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
        found = page.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map("
            "(v) => [v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 300), v.nodes[0].failureSummary]))")
        for violation in found:
            print(f"  {scheme}: {violation}", file=sys.stderr)
        equal([v for v in found if v[0] in ("serious", "critical")], [])


def it_can_be_printed(report):
    page = report.page()
    page.media("print", "light")
    equal(page.evaluate("getComputedStyle(document.querySelector('nav')).display"), "none")
    page.screenshot(report.screenshots / "print.png", whole=True)
    data = page.send("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"]
    assert len(data) > 10_000


def pictures(report):
    """For people to look at."""
    for name, options in (
        ("light-whole", {}), ("dark-whole", {"scheme": "dark"}), ("narrow-whole", {"width": 390}),
    ):
        page = report.page(**options)
        # What is out of view is not drawn otherwise.
        page.evaluate("document.querySelectorAll('.group').forEach((e) => { e.style.contentVisibility = 'visible'; })")
        page.screenshot(report.screenshots / f"{name}.png", whole=True)
    page = report.page(scheme="dark")
    page.screenshot(report.screenshots / "dark.png")
    for place in ("treemap", "layer", "probe", "packages"):
        found = f"document.querySelector('.{place}')"
        if not page.evaluate(f"{found} !== null"):
            continue
        for scheme in ("light", "dark"):
            page.media("", scheme)
            page.evaluate(f"for (let e = {found}; e; e = e.parentElement) if (e.tagName === 'DETAILS') e.open = true")
            page.point(found)
            page.screenshot(report.screenshots / f"{place}-{scheme}.png")


TESTS = [
    nothing_is_loaded_and_nothing_complains, nothing_of_the_record_runs, without_scripts_everything_can_be_read,
    outcomes_filter_by_mouse, search_by_keyboard, outcomes_and_subjects_by_keyboard, everything_opens_and_closes,
    treemap_by_keyboard, treemap_by_mouse, links_open_what_they_lead_to, nothing_is_wider_than_a_narrow_screen,
    no_serious_violation_of_accessibility, it_can_be_printed, pictures,
]


def main():
    path, screenshots = sys.argv[1:]
    os.makedirs(screenshots, exist_ok=True)
    failures = 0
    with Chromium() as browser:
        report = Report(browser, path, screenshots)
        for test in TESTS:
            try:
                test(report)
                print(f"ok {test.__name__}")
            except Exception:  # pylint: disable=broad-except
                failures += 1
                print(f"FAILED {test.__name__}")
                traceback.print_exc(limit=-2)
            sys.stdout.flush()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
