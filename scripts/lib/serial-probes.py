#!/usr/bin/env python3
"""Runs the scenarios of a suite as a plain script would: one after another, by the command line of docker.

  serial-probes.py IMAGE SUITE RECORD

IMAGE is a name in the engine's store, SUITE a directory of YAML files, RECORD the JSON report of a run of the same
suite on the same image: it says which scenarios belong to it, and what the parameters are. Servers are those of this
machine, started for the scenario that needs them, and reached by the network of the host. Containers that a scenario does not put in
steps run one after another. Prints a JSON object: the seconds, the number of scenarios and containers, and the
containers that ended otherwise than those of the record.
"""

import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import yaml

PASSWORD = "assay-probe-password"
SUPERUSER = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


def docker(*words: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["docker", *words], capture_output=True, text=True, errors="replace", check=False, **options)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Door:
    """A port that opens when it is told to, turns the first connections away, and hands the others on."""

    def __init__(self, target, drops: int):
        self.port, self.target, self.drops, self.listener = free_port(), target, drops, None

    def open(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.drops > 0:
                self.drops -= 1
                client.close()
            else:
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        with client:
            if self.target is None:
                while client.recv(4096):
                    pass
                return
            try:
                server = socket.create_connection(self.target) if isinstance(self.target, tuple) else None
                if server is None:
                    server = socket.socket(socket.AF_UNIX)
                    server.connect(self.target)
                other = {client: server, server: client}
                while True:
                    for end in select.select(list(other), [], [])[0]:
                        data = end.recv(65536)
                        if not data:
                            server.close()
                            return
                        other[end].sendall(data)
            except OSError:
                pass

    def close(self) -> None:
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()


class Server:
    """A server of this machine; `values` are what a scenario can ask of it."""

    def __init__(self, kind: str, declaration: dict, place: pathlib.Path):
        place.mkdir()
        os.chown(place, 65534, 65534)
        self.place, self.process = place, None
        self.values = {"host": "127.0.0.1", "user": "airflow", "password": PASSWORD, "database": "airflow"}
        target, ready = None, None
        if kind == "postgresql":
            self.values["database"] = "postgres"
            (place / "password").write_text(PASSWORD)
            self.run(*SUPERUSER, "initdb", f"--pgdata={place}/db", "--username=airflow", f"--pwfile={place}/password",
                     "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync")
            self.start(*SUPERUSER, "postgres", "-D", f"{place}/db", "-F", "-c", "listen_addresses=", "-c",
                       f"unix_socket_directories={place}/db")
            target = f"{place}/db/.s.PGSQL.5432"
            ready = [*SUPERUSER, "pg_isready", "--host", f"{place}/db"]
        elif kind == "mariadb":
            (place / "init.sql").write_text(
                "CREATE DATABASE airflow CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n"
                f"CREATE USER airflow@localhost IDENTIFIED BY '{PASSWORD}';\n"
                "GRANT ALL PRIVILEGES ON airflow.* TO airflow@localhost;\n")
            self.run(*SUPERUSER, "mariadb-install-db", "--no-defaults", f"--datadir={place}/db",
                     "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
                     "--innodb-log-file-size=4M")
            target = f"{place}/socket"
            self.start(*SUPERUSER, "mariadbd", "--no-defaults", f"--datadir={place}/db", f"--socket={target}",
                       f"--pid-file={place}/pid", "--skip-networking", "--skip-name-resolve",
                       f"--init-file={place}/init.sql", "--innodb-log-file-size=4M")
            ready = ["mariadb-admin", f"--socket={target}", "--user=airflow", f"--password={PASSWORD}", "ping"]
        elif kind == "redis":
            target = f"{place}/socket"
            self.start(*SUPERUSER, "redis-server", "--port", "0", "--unixsocket", target, "--save", "")
            ready = ["redis-cli", "-s", target, "ping"]
        elif kind == "kdc":
            port = free_port()
            target = ("127.0.0.1", port)
            realm = "PROBE.TEST"
            self.values |= {"realm": realm, "principal": f"airflow@{realm}", "stranger": f"stranger@{realm}"}
            (place / "kdc.conf").write_text(
                f"[kdcdefaults]\n kdc_listen = \"\"\n kdc_tcp_listen = 127.0.0.1:{port}\n[realms]\n {realm} = {{\n"
                f"  database_name = {place}/principals\n  key_stash_file = {place}/stash\n  max_life = 1h\n"
                f"  max_renewable_life = 1d\n  supported_enctypes = aes256-cts:normal\n }}\n")
        self.door = Door(target, int(declaration.get("drops", 0)))
        self.values["port"] = str(self.door.port)
        if kind == "kdc":
            (place / "krb5.conf").write_text(
                f"[libdefaults]\n default_realm = {realm}\n dns_lookup_kdc = false\n rdns = false\n"
                f" udp_preference_limit = 1\n[realms]\n {realm} = {{\n  kdc = 127.0.0.1:{self.door.port}\n }}\n")
            environment = os.environ | {"KRB5_CONFIG": f"{place}/krb5.conf", "KRB5_KDC_PROFILE": f"{place}/kdc.conf"}
            self.run("kdb5_util", "create", "-s", "-r", realm, "-P", PASSWORD, env=environment)
            self.run("kadmin.local", "-r", realm, env=environment,
                     input=f"addprinc -randkey airflow\naddprinc -randkey stranger\nktadd -k {place}/keytab airflow\n"
                     f"ktadd -k {place}/stranger.keytab stranger\n")
            self.start("krb5kdc", "-n", "-r", realm, env=environment)
        if ready:
            while subprocess.run(ready, capture_output=True, check=False).returncode != 0:
                time.sleep(0.02)
        if declaration.get("opens", True):
            time.sleep(float(declaration.get("opensAfter", 0)))
            self.door.open()

    @staticmethod
    def run(*words: str, **options) -> None:
        subprocess.run(words, capture_output=True, text=True, check=True, **options)

    def start(self, *words: str, **options) -> None:
        path = {"PATH": f"{os.environ['PATH']}:/usr/sbin:" + ":".join(map(str, pathlib.Path("/usr/lib/postgresql").glob("*/bin")))}
        self.process = subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=options.get("env", os.environ) | path)

    def stop(self) -> None:
        self.door.close()
        if self.process:
            self.process.send_signal(signal.SIGQUIT if "postgres" in self.process.args else signal.SIGTERM)
            self.process.wait()


class Scenario:
    def __init__(self, name: str, declaration: dict, image: str, parameters: dict, place: pathlib.Path):
        self.name, self.declaration, self.image, self.place = name, declaration, image, place
        self.parameters = dict(parameters)
        self.services: dict[str, Server] = {}
        self.codes: dict[str, int | None] = {}
        # Attached: an engine's own log has no line before it ends.
        self.started: dict[str, subprocess.Popen] = {}

    def text(self, value) -> str:
        return re.sub(r"\$\{([A-Za-z0-9_.]+)\}", lambda match: self.parameters.get(match[1], match[0]), str(value))

    def texts(self, value) -> list[str]:
        return [self.text(one) for one in (value if isinstance(value, list) else [value])]

    def options(self, name: str) -> list[str]:
        one = self.declaration["containers"][name] or {}
        options = ["--name", self.container(name), "--network", "host" if self.services else "none"]
        environment = (self.declaration.get("environment") or {}) | (one.get("environment") or {})
        for key, value in environment.items():
            options += ["--env", f"{key}={self.text(value)}"]
        if "user" in one:
            options += ["--user", self.text(one["user"])]
        if "workingDirectory" in one:
            options += ["--workdir", self.text(one["workingDirectory"])]
        for volume, path in (one.get("volumes") or {}).items():
            source = self.place / f"volume-{volume}"
            source.mkdir(exist_ok=True)
            source.chmod(0o1777)
            options += ["--volume", f"{source}:{self.text(path)}"]
        for number, file in enumerate((self.declaration.get("files") or []) + (one.get("files") or [])):
            source = self.place / f"{name}-{number}"
            if "from" in file:
                service, _, made = file["from"].partition(".")
                shutil.copy(self.services[service].place / made, source)
            else:
                source.write_text(file["content"])
            source.chmod(int(str(file.get("mode", "0644")), 8))
            options += ["--volume", f"{source}:{self.text(file['path'])}:ro"]
        if "stdin" in one:
            options.append("--interactive")
        entrypoint = self.texts(one["entrypoint"]) if "entrypoint" in one else []
        if entrypoint:
            options += ["--entrypoint", entrypoint[0]]
        return [*options, self.image, *entrypoint[1:], *(self.texts(one["args"]) if "args" in one else [])]

    def container(self, name: str) -> str:
        return f"serial-{os.getpid()}-{self.name}-{name}"

    def run(self) -> None:
        try:
            for name, declaration in (self.declaration.get("services") or {}).items():
                server = Server(declaration["kind"], declaration, self.place / f"service-{name}")
                self.services[name] = server
                self.parameters |= {f"{name}.{key}": value for key, value in server.values.items()}
            if "steps" in self.declaration:
                for step in self.declaration["steps"]:
                    self.carry_out(step)
            else:
                for name, one in self.declaration["containers"].items():
                    done = docker("run", "--rm", *self.options(name), input=(one or {}).get("stdin", ""))
                    self.codes[name] = done.returncode
        finally:
            if self.started:
                docker("rm", "--force", *map(self.container, self.started))
                for client in self.started.values():
                    client.wait()
            for server in self.services.values():
                server.stop()

    def await_start(self, name: str) -> None:
        """What acts on a container needs one that is there."""
        while self.started[name].poll() is None:
            if docker("inspect", "--format", "{{.State.Status}}", self.container(name)).stdout.strip() == "running":
                return

    def carry_out(self, step: dict) -> None:
        kind, name = next(iter(step.items()))
        end = time.monotonic() + float(step.get("within", self.declaration.get("within", 60)))
        if kind == "start":
            with (self.place / f"{name}.stdout").open("w") as out, (self.place / f"{name}.stderr").open("w") as err:
                self.started[name] = subprocess.Popen(
                    ["docker", "run", *self.options(name)], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        elif kind == "wait" and ({"stdout", "stderr"} & step.keys()):
            matcher = step.get("stdout") or step.get("stderr")
            pattern = matcher.get("matches") or "(?s).*" + re.escape(matcher.get("contains", "")) + ".*"
            log = self.place / f"{name}.{'stdout' if 'stdout' in step else 'stderr'}"
            while time.monotonic() < end and self.started[name].poll() is None:
                if re.fullmatch(pattern, log.read_text(errors="replace").removesuffix("\n")):
                    return
                time.sleep(0.02)
        elif kind == "wait":
            try:
                self.codes[name] = self.started[name].wait(timeout=max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.codes[name] = None
        elif kind == "signal":
            self.await_start(name)
            docker("kill", "--signal", step.get("name", "TERM"), self.container(name))
        elif kind == "exec":
            self.await_start(name)
            docker("exec", self.container(name), *self.texts(step.get("args", [])))
        elif kind == "look":
            self.await_start(name)
            docker("top", self.container(name))
            for path in self.texts(step.get("files", [])) + self.texts(step.get("contents", [])):
                docker("cp", f"{self.container(name)}:{path}", "-")
        elif kind == "open":
            self.services[name].door.open()
        elif kind == "pause":
            time.sleep(float(name))


def main() -> int:
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    image, suite, record = sys.argv[1], pathlib.Path(sys.argv[2]), json.loads(pathlib.Path(sys.argv[3]).read_text())
    os.environ["PATH"] += ":/usr/sbin:" + ":".join(map(str, pathlib.Path("/usr/lib/postgresql").glob("*/bin")))
    run = record["images"][0]
    parameters = {one["name"]: one["value"] for one in run["parameters"] if one.get("value") is not None}
    declared: dict[str, dict] = {}
    for file in sorted(suite.glob("*.yaml")):
        # Texts stay texts: 0640 is no number.
        declared |= yaml.load(file.read_text(), Loader=yaml.BaseLoader).get("scenarios") or {}
    seconds, containers, others = 0.0, 0, []
    for transcript in run["transcripts"]:
        declaration = {
            key: value for key, value in declared[transcript["scenario"]].items() if not (key == "files" and not value)
        }
        for service in (declaration.get("services") or {}).values():
            if service.get("opens") == "false":
                service["opens"] = False
        with tempfile.TemporaryDirectory(prefix="assay-serial-") as folder:
            place = pathlib.Path(folder)
            place.chmod(0o755)
            scenario = Scenario(transcript["scenario"], declaration, image, parameters, place)
            start = time.monotonic()
            scenario.run()
            seconds += time.monotonic() - start
        containers += len(declaration["containers"])
        for container in transcript["containers"]:
            code = scenario.codes.get(container["name"], container.get("exitCode"))
            if code != container.get("exitCode"):
                others.append(f"{transcript['scenario']} {container['name']}: {code}, not {container.get('exitCode')}")
    json.dump({"seconds": seconds, "scenarios": len(run["transcripts"]), "containers": containers, "others": others},
              sys.stdout)
    return 0


sys.exit(main())
