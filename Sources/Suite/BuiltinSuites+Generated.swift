// Written by scripts/generate from Conformance/; do not edit.
// swift-format-ignore-file

/// The suites that come with the program: the files of each by its name.
enum BuiltinSuites {
    static let files: [String: [(name: String, text: String)]] = [
        "airflow": [
            ("entrypoint.yaml", #"""
# What the entrypoint does, release by release. Airflow itself is not started: where the entrypoint calls it, a
# stand-in is mounted over the command, which says what it was called with. running.yaml starts the real one.
# Waits for a database or a broker are switched off by CONNECTION_CHECK_MAX_COUNT; waits.yaml is about them.
group: entrypoint
title: What the entrypoint does
scenarios:
  # A user that a platform has chosen, as OpenShift does.
  stranger:
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    files: &report
      - path: /probe/report
        content: |
          # What a command finds that the entrypoint has started.
          say() { printf '%s=<%s>\n' "$1" "$2"; }
          can_write() { if (: >"$1/assay-probe") 2>/dev/null; then echo yes; else echo no; fi; }
          say name "$(whoami 2>/dev/null)"
          say passwd "$(getent passwd "$(id -u)")"
          say lines "$(grep --count "^[^:]*:[^:]*:$(id -u):" /etc/passwd)"
          say home "${HOME-unset}"
          say directory "$(pwd)"
          say content "$(ls -A "${AIRFLOW_HOME}" | sort | tr '\n' ' ')"
          say umask "$(umask)"
          : >/tmp/assay-probe
          say pip-user "${PIP_USER-unset}"
          say preload "${LD_PRELOAD-unset}"
          say pythonpath "${PYTHONPATH-unset}"
          say dags "$(can_write "${AIRFLOW_HOME}/dags")"
          say logs "$(can_write "${AIRFLOW_HOME}/logs")"
          say work "$(can_write "${AIRFLOW_HOME}")"
          say writes-home "$(can_write "${AIRFLOW_USER_HOME_DIR}")"
    containers:
      main:
        args: [bash, /probe/report]
        user: "12345:0"
      named:
        args: [bash, /probe/report]
        user: "12345:0"
        environment: {USER_NAME: mallory}
    steps:
      - {start: main}
      - {start: named}
      - {wait: main}
      - {wait: named}
      - {look: main, contents: [/etc/passwd]}

  # The user of the image.
  airflow:
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    files: *report
    containers:
      main:
        args: [bash, /probe/report]
        environment: {PIP_USER: "true"}
    steps:
      - {start: main}
      - {wait: main}
      - {look: main, files: [/tmp/assay-probe]}

  other-group:
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    files: *report
    containers:
      stranger:
        args: [bash, /probe/report]
        user: "12345:12345"
      airflow:
        args: [bash, /probe/report]
        user: "${AIRFLOW_UID}:12345"

  root:
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    files: *report
    containers:
      main:
        args: [bash, /probe/report]
        user: "0"
        environment: {PYTHONPATH: /probe/modules}
      module:
        args: [python, -c, "import awesome"]
        user: "0"
        environment: {PYTHONPATH: /probe/modules}
        files:
          - {path: /probe/modules/awesome.py, content: "print('Awesome')\n"}

  shells:
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    containers:
      bash:
        args: [bash]
        stdin: |
          printf 'shell=<%s>\n' "${BASH##*/}"
      bash-words:
        args: [bash, -c, 'printf "<%s>" "$@"', name, two words, "", "*", --, --help]
      bash-exit:
        args: [bash, -c, "exit 7"]
      python:
        args: [python]
        stdin: |
          print("shell=<python>")
      python-words:
        args: [python, -c, "import sys; sys.stdout.write('test|' + '|'.join(sys.argv[1:]) + '|')", two words, "", "*", --, --help]
      python-exit:
        args: [python, -c, "import sys; sys.exit(9)"]

  # One process adopts what others leave behind.
  orphan:
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    containers:
      main:
        args: [python, /probe/orphan]
        files:
          - path: /probe/orphan
            content: |
              import os, time
              reader, writer = os.pipe()
              if os.fork() == 0:
                  grandchild = os.fork()
                  if grandchild == 0:
                      time.sleep(0.1)
                  else:
                      os.write(writer, str(grandchild).encode())
                  os._exit(0)
              os.wait()
              orphan = int(os.read(reader, 20))
              end = time.time() + 5
              while os.path.exists("/proc/%d" % orphan) and time.time() < end:
                  time.sleep(0.02)
              print("orphan=<%s>" % ("left" if os.path.exists("/proc/%d" % orphan) else "reaped"))

  # Words that are neither bash nor python.
  words:
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    files:
      - &stand-in
        path: ${AIRFLOW_USER_HOME_DIR}/.local/bin/airflow
        mode: "0755"
        content: |
          #!/bin/bash
          # Stands in for the airflow command: it says what it was called with, of a password the first letter.
          case "$*" in
          "config get-value core auth_manager")
              echo "${STAND_IN_AUTH_MANAGER-airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager}"
              exit 0
              ;;
          "config get-value "*) exit 0 ;;
          esac
          said=""
          previous=""
          for word in "$@"; do
              if [[ ${previous} == --password || ${previous} == -p ]]; then word="${word:0:1}..."; fi
              said+=" <${word}>"
              previous="${word}"
          done
          echo "stand-in for airflow, $# words:${said}"
          case "${1-}" in
          db | upgradedb | users | create_user) exit "${STAND_IN_PREPARATION_EXIT:-0}" ;;
          esac
          exit "${STAND_IN_EXIT:-0}"
    containers:
      other:
        args: [tasks, test, two words, "", "*", --, --help]
        environment: {STAND_IN_EXIT: "9"}
      airflow:
        args: [airflow, tasks, list]
      airflow-alone:
        args: [airflow]
      none:

  term:
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    containers:
      main: &sleeper
        args: [bash, -c, "echo ready; sleep 300"]
    steps:
      - {start: main}
      - {wait: main, stdout: {contains: ready}, within: 30}
      - {look: main}
      - {signal: main, name: TERM}
      - {wait: main, within: 5}
  int:
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    containers:
      main: *sleeper
    steps:
      - {start: main}
      - {wait: main, stdout: {contains: ready}, within: 30}
      - {signal: main, name: INT}
      - {wait: main, within: 5}

  # Who gets a signal that is sent to the container.
  family:
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    files:
      - path: /probe/family
        content: |
          told=""
          trap 'told=yes; echo the command is told' TERM
          (
              trap 'echo its child is told; exit' TERM
              echo ready
              for ((turn = 0; turn < 600; turn++)); do sleep 0.05; done
          ) &
          child=$!
          for ((turn = 0; turn < 600; turn++)); do
              [[ -z ${told} ]] || break
              sleep 0.05
          done
          # Longer than the child needs to say it.
          sleep 0.5
          kill -KILL "${child}" 2>/dev/null
          exit 0
    containers:
      all:
        args: [bash, /probe/family]
        environment: {DUMB_INIT_SETSID: "1"}
      one:
        args: [bash, /probe/family]
        environment: {DUMB_INIT_SETSID: "0"}
    steps:
      - {start: all}
      - {start: one}
      - {wait: all, stdout: {contains: ready}, within: 30}
      - {wait: one, stdout: {contains: ready}, within: 30}
      - {look: all}
      - {look: one}
      - {signal: all, name: TERM}
      - {signal: one, name: TERM}
      - {wait: all, within: 5}
      - {wait: one, within: 5}

  # Two starts on one database: the first leaves a row in it.
  database:
    files:
      - *stand-in
      - path: /probe/row
        content: |
          import os, sqlite3, sys
          file = os.path.join(os.environ["AIRFLOW_HOME"], "airflow.db")
          database = sqlite3.connect(file)
          if sys.argv[1] == "write":
              database.execute("create table probe (word text)")
              database.execute("insert into probe values ('kept')")
              database.commit()
              os.chmod(file, 0o666)
          else:
              try:
                  found = [row[0] for row in database.execute("select word from probe")]
              except sqlite3.Error as error:
                  found = [str(error)]
              print("row=<%s>" % " ".join(found))
    containers:
      first:
        entrypoint: [python, /probe/row, write]
        volumes: &database {database: "${AIRFLOW_HOME}"}
      unset:
        args: [python, /probe/row, read]
        volumes: *database
      sqlite:
        args: [python, /probe/row, read]
        environment:
          AIRFLOW__CORE__SQL_ALCHEMY_CONN: sqlite:///${AIRFLOW_HOME}/airflow.db
          AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: sqlite:///${AIRFLOW_HOME}/airflow.db
        volumes: *database
    steps:
      - {start: first}
      - {wait: first, within: 30}
      - {start: unset}
      - {wait: unset, within: 30}
      - {start: sqlite}
      - {wait: sqlite, within: 30}

  migration:
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    files: [*stand-in]
    containers:
      main:
        args: [bash, -c, "echo the command runs"]
        environment: {_AIRFLOW_DB_MIGRATE: "true"}
      upgrade:
        args: [bash, -c, "echo the command runs"]
        environment: {_AIRFLOW_DB_UPGRADE: "true"}
      failing:
        args: [bash, -c, "echo the command runs"]
        environment:
          _AIRFLOW_DB_MIGRATE: "true"
          _AIRFLOW_DB_UPGRADE: "true"
          STAND_IN_PREPARATION_EXIT: "1"
      alone:
        environment: {_AIRFLOW_DB_MIGRATE: "true", STAND_IN_EXIT: "2"}

  user-creation:
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    files: [*stand-in]
    containers:
      main:
        args: [bash, -c, "echo the command runs"]
        environment:
          _AIRFLOW_WWW_USER_CREATE: "true"
          _AIRFLOW_WWW_USER_PASSWORD: vs3cr3t
      named:
        args: [bash, -c, "echo the command runs"]
        environment:
          _AIRFLOW_WWW_USER_CREATE: "true"
          _AIRFLOW_WWW_USER_USERNAME: mallory
          _AIRFLOW_WWW_USER_FIRSTNAME: Mallory
          _AIRFLOW_WWW_USER_LASTNAME: Doe
          _AIRFLOW_WWW_USER_EMAIL: mallory@example.org
          _AIRFLOW_WWW_USER_ROLE: Viewer
          _AIRFLOW_WWW_USER_PASSWORD: vs3cr3t
          _AIRFLOW_WWW_USER_PASSWORD_CMD: echo cs3cr3t
      no-password:
        args: [bash, -c, "echo the command runs"]
        environment: {_AIRFLOW_WWW_USER_CREATE: "true"}
      failing:
        args: [bash, -c, "echo the command runs"]
        environment:
          _AIRFLOW_WWW_USER_CREATE: "true"
          _AIRFLOW_WWW_USER_PASSWORD: vs3cr3t
          STAND_IN_PREPARATION_EXIT: "1"
      other-manager:
        args: [bash, -c, "echo the command runs"]
        environment:
          _AIRFLOW_WWW_USER_CREATE: "true"
          _AIRFLOW_WWW_USER_PASSWORD: vs3cr3t
          STAND_IN_AUTH_MANAGER: airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager

  # A package that pip finds in a directory: no index is asked.
  requirements:
    within: 120
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    containers:
      maker:
        entrypoint: [python, /probe/wheel]
        volumes: &wheels {wheels: /wheels}
        files:
          - path: /probe/wheel
            content: |
              import zipfile
              name = "assay_probe-1.0"
              with zipfile.ZipFile("/wheels/" + name + "-py2.py3-none-any.whl", "w") as wheel:
                  wheel.writestr("assay_probe.py", "print('the requirement is there')\n")
                  information = name + ".dist-info/"
                  wheel.writestr(information + "METADATA", "Metadata-Version: 2.1\nName: assay-probe\nVersion: 1.0\n")
                  wheel.writestr(
                      information + "WHEEL",
                      "Wheel-Version: 1.0\nGenerator: probe\nRoot-Is-Purelib: true\nTag: py2-none-any\nTag: py3-none-any\n")
                  wheel.writestr(information + "RECORD", "")
      main:
        args: [python, -c, "import assay_probe"]
        environment:
          _PIP_ADDITIONAL_REQUIREMENTS: assay-probe==1.0
          PIP_NO_INDEX: "1"
          PIP_FIND_LINKS: /wheels
        volumes: *wheels
    steps:
      - {start: maker}
      - {wait: maker}
      - {start: main}
      - {wait: main}

checks:
  - id: AIR-ENTRY-001
    title: an unknown user of group 0 gets a line in /etc/passwd
    statements: [F01, J04]
    source: Using the production image
    run: stranger
    expect:
      file: main
      path: /etc/passwd
      content: {matches: "(?s)(.*\n)?[^:\n]+:[^:\n]*:12345:0:[^:\n]*:${AIRFLOW_USER_HOME_DIR}:/sbin/nologin(\n.*)?"}
    remedy: let the entrypoint add the line when it may write /etc/passwd

  - id: AIR-ENTRY-002
    title: USER_NAME names that user
    statements: [F02]
    source: Using the production image
    run: stranger
    expect: {stdout: named, contains: "name=<mallory>"}
    remedy: take the name of the line from USER_NAME

  - id: AIR-ENTRY-003
    title: without USER_NAME it is named default
    statements: [F03]
    source: Using the production image
    run: stranger
    expect: {stdout: main, contains: "name=<default>"}
    remedy: take default where USER_NAME is not set

  - id: AIR-ENTRY-004
    title: its home directory is that of airflow
    statements: [F01, F07]
    source: Using the production image
    run: stranger
    expect: {stdout: main, contains: "home=<${AIRFLOW_USER_HOME_DIR}>"}
    remedy: export HOME for an unknown user

  - id: AIR-ENTRY-005
    title: it may write the folders of Airflow
    statements: [F07, J08]
    source: Using the production image (OpenShift Guidelines)
    run: stranger
    expect:
      - {stdout: main, contains: "dags=<yes>"}
      - {stdout: main, contains: "logs=<yes>"}
      - {stdout: main, contains: "work=<yes>"}
    remedy: chown to group 0 and chmod g=u what it has to write

  - id: AIR-ENTRY-006
    title: it may write the home directory of airflow
    statements: [F07, J08]
    source: Using the production image (OpenShift Guidelines)
    when: {versions: "2.2.4.."}
    run: stranger
    expect: {stdout: main, contains: "writes-home=<yes>"}
    remedy: chmod g+rwx ${AIRFLOW_USER_HOME_DIR}

  - id: AIR-ENTRY-007
    title: for airflow itself no line is added
    statements: [F06]
    source: Using the production image
    run: airflow
    expect:
      - {stdout: main, contains: "name=<airflow>"}
      - {stdout: main, contains: "lines=<1>"}
    remedy: add a line only for a user that has none

  - id: AIR-ENTRY-008
    title: an unknown user of another group is refused
    statements: [F05]
    source: Using the production image
    when: {versions: "2.0.2.."}
    run: other-group
    expect:
      - {exit: stranger, equals: 1}
      - {stderr: stranger, contains: "ERROR! You should run the image with GID=0"}
      - {stdout: stranger, not: {contains: "umask="}}
    remedy: end the entrypoint with exit code 1 when the group is not 0

  - id: AIR-ENTRY-009
    title: an unknown user of another group gets no line in /etc/passwd
    statements: [F05]
    source: Using the production image
    when: {versions: "..2.0.1"}
    run: other-group
    expect:
      - {stdout: stranger, contains: "passwd=<>"}
      - {stdout: stranger, contains: "home=<${AIRFLOW_USER_HOME_DIR}>"}
    remedy: add the line only when /etc/passwd can be written

  - id: AIR-ENTRY-010
    title: the user airflow is warned of another group, and goes on
    statements: [F05]
    source: Using the production image
    # The script has the number 50000 in it.
    when: {versions: "2.0.2..", parameters: {AIRFLOW_UID: "50000"}}
    run: other-group
    expect:
      - {exit: airflow, equals: 0}
      - {stderr: airflow, matches: "(?si).*warning.*"}
      - {stdout: airflow, contains: "name=<airflow>"}
    remedy: write a warning to standard error, and run the command

  - id: AIR-ENTRY-011
    title: the command runs with the umask of the release line
    statements: [J02]
    source: Using the production image (OpenShift Guidelines)
    run: airflow
    expect:
      - stdout: main
        value: {"..2.0.1": {contains: "umask=<0022>"}, default: {contains: "umask=<0002>"}}
      - {file: main, path: /tmp/assay-probe, mode: {"..2.0.1": "0644", default: "0664"}}
    remedy: umask 0002 in the entrypoint, from 2.0.2

  - id: AIR-ENTRY-012
    title: the first process is dumb-init
    statements: [J09]
    source: Using the production image (OpenShift Guidelines)
    run: term
    expect: {process: main, pid: 1, name: dumb-init}
    remedy: 'ENTRYPOINT ["/usr/bin/dumb-init", "--", "/entrypoint"]'

  - id: AIR-ENTRY-013
    title: an orphaned process is reaped
    statements: [J09]
    source: Using the production image (OpenShift Guidelines)
    run: orphan
    expect: {stdout: main, contains: "orphan=<reaped>"}
    remedy: 'ENTRYPOINT ["/usr/bin/dumb-init", "--", "/entrypoint"]'

  - id: AIR-ENTRY-014
    title: bash alone is a shell, which reads its commands and ends with them
    statements: [F21]
    source: Using the production image
    run: shells
    expect:
      - {stdout: bash, contains: "shell=<bash>"}
      - {exit: bash, equals: 0}
    remedy: let the entrypoint exec bash when that is the first word

  - id: AIR-ENTRY-015
    title: words behind bash are arguments of bash, word for word
    statements: [F22]
    source: Using the production image
    run: shells
    expect:
      - {stdout: bash-words, endsWith: "<two words><><*><--><--help>"}
      - {exit: bash-words, equals: 0}
    remedy: exec /bin/bash "$@"

  - id: AIR-ENTRY-016
    title: the exit code of bash is that of the container
    statements: [F22]
    source: Using the production image
    run: shells
    expect: {exit: bash-exit, equals: 7}
    remedy: end the entrypoint with exec

  - id: AIR-ENTRY-017
    title: python alone is an interpreter, which reads its program and ends with it
    statements: [F27]
    source: Using the production image
    run: shells
    expect:
      - {stdout: python, contains: "shell=<python>"}
      - {exit: python, equals: 0}
    remedy: let the entrypoint exec python when that is the first word

  - id: AIR-ENTRY-018
    title: words behind python are arguments of Python, word for word
    statements: [F28]
    source: Using the production image
    run: shells
    expect:
      - {stdout: python-words, endsWith: "test|two words||*|--|--help|"}
      - {exit: python-words, equals: 0}
    remedy: exec python "$@"

  - id: AIR-ENTRY-019
    title: the exit code of Python is that of the container
    statements: [F28]
    source: Using the production image
    run: shells
    expect: {exit: python-exit, equals: 9}
    remedy: end the entrypoint with exec

  - id: AIR-ENTRY-020
    title: other words are arguments of airflow, word for word
    statements: [F29]
    source: Using the production image
    run: words
    expect:
      stdout: other
      endsWith: "stand-in for airflow, 7 words: <tasks> <test> <two words> <> <*> <--> <--help>"
    remedy: exec airflow "$@"

  - id: AIR-ENTRY-021
    title: the exit code of airflow is that of the container
    statements: [F29]
    source: Using the production image
    run: words
    expect: {exit: other, equals: 9}
    remedy: end the entrypoint with exec

  - id: AIR-ENTRY-022
    title: the word airflow in front is what the release line takes it for
    statements: [F29]
    source: Using the production image
    # Between these it is not known with which release of 2.0 the word was first left out.
    when: {any: [{versions: "..1.10.12"}, {versions: "2.0.1.."}]}
    run: words
    expect:
      stdout: airflow
      value:
        "..1.10.12": {endsWith: "stand-in for airflow, 3 words: <airflow> <tasks> <list>"}
        default: {endsWith: "stand-in for airflow, 2 words: <tasks> <list>"}
    remedy: leave out the word airflow when it is the first one

  - id: AIR-ENTRY-023
    title: the word airflow alone is airflow without words
    statements: [F29]
    source: Using the production image
    when: {versions: "2.1.1.."}
    run: words
    expect: {stdout: airflow-alone, endsWith: "stand-in for airflow, 0 words:"}
    remedy: leave out the word airflow when it is the first one

  - id: AIR-ENTRY-024
    title: without a word airflow gets what the release line has for that
    statements: [F30]
    source: Using the production image
    run: words
    expect:
      stdout: none
      value:
        "..2.1.0": {endsWith: "stand-in for airflow, 1 words: <--help>"}
        default: {endsWith: "stand-in for airflow, 0 words:"}
    documented: {stdout: none, endsWith: "stand-in for airflow, 1 words: <version>"}
    remedy: 'CMD ["--help"] up to 2.1.0, CMD [] from 2.1.1'

  - id: AIR-ENTRY-025
    title: TERM ends a command at once
    statements: [F33, J09]
    source: Using the production image
    run: term
    expect: {exit: main, equals: 143}
    remedy: exec the command, below dumb-init

  - id: AIR-ENTRY-026
    title: INT ends a command at once
    statements: [F33, J09]
    source: Using the production image
    run: int
    expect: {exit: main, equals: 130}
    remedy: exec the command, below dumb-init

  - id: AIR-ENTRY-027
    title: with DUMB_INIT_SETSID=1 TERM goes to the command and its children
    statements: [F33, J09]
    source: Using the production image
    run: family
    expect:
      - {stdout: all, contains: the command is told}
      - {stdout: all, contains: its child is told}
      - {process: all, parent: 1, session: {not: 1}}
    remedy: exec the command, below dumb-init

  - id: AIR-ENTRY-028
    title: with DUMB_INIT_SETSID=0 TERM goes to the command alone
    statements: [F33, J09]
    source: Using the production image
    run: family
    expect:
      - {stdout: one, contains: the command is told}
      - {stdout: one, not: {contains: its child is told}}
      - {process: one, parent: 1, session: 1}
    remedy: exec the command, below dumb-init

  - id: AIR-ENTRY-029
    title: a container begins with dags and logs in ${AIRFLOW_HOME}, and nothing else
    statements: [F23]
    source: Using the production image
    severity: info
    # What is added to an image is wanted there.
    when: {none: [{lineage: extended}]}
    run: airflow
    expect: {stdout: main, contains: "content=<dags logs >"}
    remedy: start nothing in the entrypoint that writes there

  - id: AIR-ENTRY-030
    title: the working directory is ${AIRFLOW_HOME}
    statements: [F20]
    source: Using the production image
    run: airflow
    expect: {stdout: main, contains: "directory=<${AIRFLOW_HOME}>"}
    remedy: WORKDIR ${AIRFLOW_HOME}

  - id: AIR-ENTRY-031
    title: an SQLite database is neither reset nor initialised
    statements: [F11]
    source: Using the production image
    run: database
    expect:
      - {stdout: unset, contains: "row=<kept>"}
      - {stdout: sqlite, contains: "row=<kept>"}
      - {stdout: unset, not: &initialised {matches: "(?s).*<(db> <(reset|init|migrate|upgrade)|resetdb|initdb|upgradedb)>.*"}}
      - {stdout: sqlite, not: *initialised}
    # The document says that the database is reset.
    documented:
      - {stdout: unset, matches: "(?s).*<(db> <reset|resetdb)>.*"}
      - {stdout: sqlite, matches: "(?s).*<(db> <reset|resetdb)>.*"}
    remedy: change the database only where _AIRFLOW_DB_MIGRATE asks for it

  - id: AIR-ENTRY-032
    title: _AIRFLOW_DB_MIGRATE migrates the database before the command runs
    source: entrypoint of the release line
    when: {versions: "2.8.."}
    run: migration
    expect: {stdout: main, matches: "(?s).*<db> <migrate>.*\nthe command runs"}
    remedy: run airflow db migrate when the variable is not empty

  - id: AIR-ENTRY-033
    title: _AIRFLOW_DB_UPGRADE upgrades the database before the command runs
    source: entrypoint of the release line
    when: {versions: "2.0.1.."}
    run: migration
    expect:
      stdout: upgrade
      value:
        "..2.1.3": {matches: "(?s).*<db> <upgrade>.*\nthe command runs"}
        # Its later name is db migrate.
        default: {matches: "(?s).*<db> <(upgrade|migrate)>.*\nthe command runs"}
    remedy: take the variable for another name of _AIRFLOW_DB_MIGRATE

  - id: AIR-ENTRY-034
    title: a migration that fails does not keep the command from running
    source: entrypoint of the release line
    when: {versions: "2.0.1.."}
    run: migration
    expect:
      - {stdout: failing, endsWith: the command runs}
      - {exit: failing, equals: 0}
    remedy: ignore the exit code of the migration

  - id: AIR-ENTRY-035
    title: a migration without a command ends well
    source: entrypoint of the release line
    when: {versions: "3.1.5.."}
    run: migration
    expect:
      - {stdout: alone, contains: "<db> <migrate>"}
      - {stdout: alone, not: {contains: "stand-in for airflow, 0 words:"}}
      - {exit: alone, equals: 0}
    remedy: end with exit code 0 after the migration when there is no command

  - id: AIR-ENTRY-036
    title: _AIRFLOW_WWW_USER_CREATE creates the administrator before the command runs
    source: entrypoint of the release line
    when: {versions: "2.0.1.."}
    run: user-creation
    expect:
      - {stdout: main, matches: "(?s).*<users> <create>.*\nthe command runs"}
      - {stdout: main, matches: "(?s).*<(--username|-u)> <admin>.*"}
      - {stdout: main, matches: "(?s).*<(--firstname|-f)> <Airflow>.*"}
      - {stdout: main, matches: "(?s).*<(--lastname|-l)> <Admin>.*"}
      - {stdout: main, matches: "(?s).*<(--email|-e)> <airflowadmin@example.com>.*"}
      - {stdout: main, matches: "(?s).*<(--role|-r)> <Admin>.*"}
    remedy: run airflow users create when the variable is not empty

  - id: AIR-ENTRY-037
    title: that user gets the password of _AIRFLOW_WWW_USER_PASSWORD
    source: entrypoint of the release line
    when: {versions: "2.0.1.."}
    run: user-creation
    expect: {stdout: main, matches: "(?s).*<(--password|-p)> <v[.]{3}>.*"}
    remedy: hand the password to airflow users create

  - id: AIR-ENTRY-038
    title: _AIRFLOW_WWW_USER_PASSWORD_CMD prints the password that it gets instead
    source: entrypoint of the release line
    when: {versions: "2.0.1.."}
    run: user-creation
    expect: {stdout: named, matches: "(?s).*<(--password|-p)> <c[.]{3}>.*"}
    remedy: run the command of the variable, and take what it prints

  - id: AIR-ENTRY-039
    title: names, address and role of that user are those of the variables
    source: entrypoint of the release line
    when: {versions: "2.0.1.."}
    run: user-creation
    expect:
      - {stdout: named, matches: "(?s).*<(--username|-u)> <mallory>.*"}
      - {stdout: named, matches: "(?s).*<(--firstname|-f)> <Mallory>.*"}
      # Up to 2.1.3 the name of the variable was misspelt in the script.
      - stdout: named
        value:
          "..2.1.3": {matches: "(?s).*<(--lastname|-l)> <Admin>.*"}
          default: {matches: "(?s).*<(--lastname|-l)> <Doe>.*"}
      - {stdout: named, matches: "(?s).*<(--email|-e)> <mallory@example.org>.*"}
      - {stdout: named, matches: "(?s).*<(--role|-r)> <Viewer>.*"}
    remedy: take them from _AIRFLOW_WWW_USER_USERNAME and its like

  - id: AIR-ENTRY-040
    title: without a password no user is created, and the container ends
    source: entrypoint of the release line
    when: {versions: "2.0.1.."}
    run: user-creation
    expect:
      - {exit: no-password, equals: 1}
      - {stdout: no-password, not: {contains: "<users> <create>"}}
      - {stdout: no-password, not: {contains: the command runs}}
    remedy: end with exit code 1 when a user is asked for without a password

  - id: AIR-ENTRY-041
    title: the password is not printed
    source: entrypoint of the release line
    when: {versions: "2.0.1.."}
    run: user-creation
    expect:
      - {stdout: main, not: {contains: s3cr3t}}
      - {stderr: main, not: {contains: s3cr3t}}
      - {stdout: named, not: {contains: s3cr3t}}
      - {stderr: named, not: {contains: s3cr3t}}
    remedy: write no value of the variables to the log

  - id: AIR-ENTRY-042
    title: a user that cannot be created does not keep the command from running
    source: entrypoint of the release line
    when: {versions: "2.0.1.."}
    run: user-creation
    expect:
      - {stdout: failing, endsWith: the command runs}
      - {exit: failing, equals: 0}
    remedy: ignore the exit code of airflow users create

  - id: AIR-ENTRY-043
    title: a user is created only for the auth manager that has users
    source: entrypoint of the release line
    when: {versions: "3.1.."}
    run: user-creation
    expect:
      - {stdout: other-manager, not: {contains: "<users> <create>"}}
      - {stdout: other-manager, endsWith: the command runs}
      - {exit: other-manager, equals: 0}
    remedy: ask airflow config get-value core auth_manager for FabAuthManager first

  - id: AIR-ENTRY-044
    title: _PIP_ADDITIONAL_REQUIREMENTS is installed before the command runs
    source: entrypoint of the release line
    when: {versions: "2.1.1.."}
    run: requirements
    expect:
      - {stdout: main, endsWith: the requirement is there}
      - {exit: main, equals: 0}
    remedy: pip install what the variable names

  - id: AIR-ENTRY-045
    title: _PIP_ADDITIONAL_REQUIREMENTS is warned of
    source: entrypoint of the release line
    severity: warning
    when: {versions: "2.1.1.."}
    run: requirements
    expect: {stderr: main, matches: "(?si).*warning.*"}
    remedy: say on standard error that every start repeats the installation

  - id: AIR-ENTRY-046
    title: root finds the packages of airflow, and those of its own PYTHONPATH
    source: entrypoint of the release line
    when: {versions: "2.0.2.."}
    run: root
    expect:
      stdout: main
      contains: "pythonpath=<${AIRFLOW_USER_HOME_DIR}/.local/lib/python${PYTHON_MAJOR_MINOR_VERSION}/site-packages:/probe/modules>"
    remedy: put the packages of airflow before the PYTHONPATH of root

  - id: AIR-ENTRY-047
    title: root imports a module from its PYTHONPATH
    source: Airflow's own tests of the image
    run: root
    expect:
      - {stdout: module, endsWith: Awesome}
      - {exit: module, equals: 0}
    remedy: keep the PYTHONPATH that is given

  - id: AIR-ENTRY-048
    title: standard error notes that the container runs as root
    source: entrypoint of the release line
    severity: warning
    when: {versions: "2.0.2.."}
    run: root
    expect: {stderr: main, matches: "(?si).*root.*"}
    remedy: say on standard error that root is not needed

  - id: AIR-ENTRY-049
    title: the command does not see PIP_USER
    source: entrypoint of the release line
    when: {versions: "2.1.."}
    run: airflow
    expect: {stdout: main, contains: "pip-user=<unset>"}
    remedy: unset PIP_USER in the entrypoint

  - id: AIR-ENTRY-050
    title: Debian's C++ library is loaded before those of Python packages
    source: entrypoint of the release line
    severity: warning
    when: {versions: "2.1.4.."}
    run: airflow
    expect: {stdout: main, matches: "(?s).*preload=<([^>\n]*[ :])?/usr/lib/[^/>]+-linux-gnu/libstdc[+][+][.]so[.]6>.*"}
    remedy: export LD_PRELOAD in the entrypoint

"""#),
            ("environment.yaml", #"""
group: environment
title: Variables of the image
checks:
  - id: AIR-ENV-001
    title: AIRFLOW_HOME is ${AIRFLOW_HOME}
    statements: [F17, G15]
    source: "Production image build arguments: AIRFLOW_HOME"
    expect:
      environment: AIRFLOW_HOME
      equals: ${AIRFLOW_HOME}
      not: {endsWith: /}
    # The document writes it with a slash at its end.
    documented:
      environment: AIRFLOW_HOME
      equals: ${AIRFLOW_HOME}/
    remedy: ENV AIRFLOW_HOME=${AIRFLOW_HOME}

  - id: AIR-ENV-002
    title: AIRFLOW_UID is the UID of the airflow user
    statements: [G16]
    source: "Production image build arguments: AIRFLOW_UID"
    expect:
      environment: AIRFLOW_UID
      equals: ${AIRFLOW_UID}
    remedy: ENV AIRFLOW_UID=${AIRFLOW_UID}

  - id: AIR-ENV-003
    title: AIRFLOW_GID is the GID of the airflow group
    statements: [G17]
    source: "Production image build arguments: AIRFLOW_GID"
    when: {versions: "..2.1"}
    expect:
      environment: AIRFLOW_GID
      equals: ${AIRFLOW_GID}
    remedy: ENV AIRFLOW_GID=${AIRFLOW_GID}

  - id: AIR-ENV-004
    title: AIRFLOW_USER_HOME_DIR is ${AIRFLOW_USER_HOME_DIR}
    statements: [G19]
    source: "Production image build arguments: AIRFLOW_USER_HOME_DIR"
    expect:
      environment: AIRFLOW_USER_HOME_DIR
      equals: ${AIRFLOW_USER_HOME_DIR}
    remedy: ENV AIRFLOW_USER_HOME_DIR=${AIRFLOW_USER_HOME_DIR}

  - id: AIR-ENV-005
    title: commands of the user library are on the PATH
    statements: [B08, G19]
    source: "Production image build arguments: AIRFLOW_USER_HOME_DIR"
    expect:
      environment: PATH
      matches: "(.*:)?${AIRFLOW_USER_HOME_DIR}/\\.local/bin(:.*)?"
    remedy: ENV PATH=${AIRFLOW_USER_HOME_DIR}/.local/bin:$PATH

  - id: AIR-ENV-006
    title: the locale is C.UTF-8
    source: Dockerfile of every release line
    severity: warning
    expect:
      - {environment: LANG, equals: C.UTF-8}
      - {environment: LANGUAGE, equals: C.UTF-8}
      - {environment: LC_ALL, equals: C.UTF-8}
      - {environment: LC_CTYPE, equals: C.UTF-8}
      - {environment: LC_MESSAGES, equals: C.UTF-8}
    remedy: set LANG, LANGUAGE, LC_ALL, LC_CTYPE and LC_MESSAGES to C.UTF-8

  - id: AIR-ENV-007
    title: Airflow's examples are not loaded
    source: Dockerfile of every release line
    severity: warning
    expect:
      environment: AIRFLOW__CORE__LOAD_EXAMPLES
      oneOf: ["false", "False", "FALSE"]
    remedy: ENV AIRFLOW__CORE__LOAD_EXAMPLES=false

  - id: AIR-ENV-008
    title: the web server keeps its heartbeat files in memory
    source: Dockerfile of every release line
    severity: warning
    expect:
      environment: GUNICORN_CMD_ARGS
      contains: "--worker-tmp-dir /dev/shm"
    remedy: ENV GUNICORN_CMD_ARGS="--worker-tmp-dir /dev/shm"

  - id: AIR-ENV-009
    title: the image says which Python image it is based on
    statements: [G01, C05]
    source: "Production image build arguments: PYTHON_BASE_IMAGE"
    when: {versions: "..3.0"}
    expect:
      environment: PYTHON_BASE_IMAGE
      matches: ".+"
    remedy: ENV PYTHON_BASE_IMAGE=${PYTHON_BASE_IMAGE}

  - id: AIR-ENV-010
    title: libraries of other places are not put before the image's own
    source: Dockerfile of every release line
    severity: info
    expect:
      - {environment: PYTHONPATH, absent: true}
      - {environment: LD_PRELOAD, absent: true}
    remedy: install into the user library instead

  - id: AIR-ENV-011
    title: the image says which image it is based on
    statements: [G01]
    source: "Production image build arguments: PYTHON_BASE_IMAGE"
    when: {versions: "3.1.."}
    expect:
      environment: BASE_IMAGE
      matches: ".+"
    remedy: ENV BASE_IMAGE of the FROM line

  - id: AIR-ENV-012
    title: arguments that only the build needs leave no trace
    statements: [G05, G06, G20, I03]
    source: "Production image build arguments: AIRFLOW_REPO, AIRFLOW_BRANCH, CASS_DRIVER_BUILD_CONCURRENCY"
    severity: warning
    expect:
      - {environment: AIRFLOW_REPO, absent: true}
      - {environment: AIRFLOW_BRANCH, absent: true}
      - {environment: CASS_DRIVER_BUILD_CONCURRENCY, absent: true}
      - {environment: CASS_DRIVER_NO_CYTHON, absent: true}
    remedy: set them in the build stage only

  - id: AIR-ENV-013
    title: pip installs into the user library
    statements: [B08, B15]
    source: Extending the image
    when: {versions: "2.0.2..2.8"}
    expect:
      environment: PIP_USER
      equals: "true"
    remedy: ENV PIP_USER=true

  - id: AIR-ENV-014
    title: pip installs into the virtual environment, not into a user library
    statements: [B08, B15]
    source: Extending the image
    when: {versions: "2.9.."}
    expect:
      environment: PIP_USER
      absent: true
    remedy: leave PIP_USER out

  - id: AIR-ENV-015
    title: there is no GID of an airflow group any more
    statements: [G17]
    source: "Production image build arguments: AIRFLOW_GID"
    severity: info
    when: {versions: "2.2.."}
    expect:
      environment: AIRFLOW_GID
      absent: true
    remedy: leave AIRFLOW_GID out

  - id: AIR-ENV-016
    title: Debian's tools ask no questions
    source: Dockerfile of every release line
    severity: info
    expect:
      environment: DEBIAN_FRONTEND
      equals: noninteractive
    remedy: ENV DEBIAN_FRONTEND=noninteractive

  - id: AIR-ENV-017
    title: the image says that it is for production
    source: Dockerfile of Airflow 3.1 and later
    severity: info
    when: {versions: "3.1.."}
    expect:
      environment: AIRFLOW_IMAGE_TYPE
      equals: prod
    remedy: ENV AIRFLOW_IMAGE_TYPE=prod

"""#),
            ("extension.yaml", #"""
# About what was added to an image: layers above the step ENTRYPOINT by which the Dockerfile ends, or above those of
# the image given with --base.
group: extension
title: Layers that extend the image
checks:
  - id: AIR-EXT-001
    title: the image begins with the layers of its base
    statements: [B06, E02]
    source: Extending the image
    when: {given: base}
    expect:
      base: true
    remedy: begin the Dockerfile with FROM and the base

  - id: AIR-EXT-002
    title: the extended image ends as airflow
    statements: [B13, C16]
    source: Extending the image
    when: &extended
      lineage: extended
    expect:
      runsAs: {name: airflow, uid: "${AIRFLOW_UID}"}
    remedy: end the Dockerfile with USER airflow

  - id: AIR-EXT-003
    title: the added Debian packages are installed to the end
    statements: [B07, B11, C16]
    source: Extending the image
    when: *extended
    expect:
      packages: {none: ["*"], from: extension}
      status: {not: {oneOf: [install ok installed, hold ok installed]}}
    remedy: let apt-get install finish

  - id: AIR-EXT-004
    title: Python packages are added to the user library
    statements: [B14, B15, C16]
    source: Extending the image
    when: *extended
    expect:
      distributions: {none: ["*"], from: extension}
      location: {not: {startsWith: "${AIRFLOW_USER_HOME_DIR}/.local/"}}
    remedy: install with pip as airflow, not as root

  - id: AIR-EXT-005
    title: what is added to the user library belongs to airflow
    statements: [B15, C16]
    source: Extending the image
    when: *extended
    expect:
      paths:
        every: ["${AIRFLOW_USER_HOME_DIR}/.local/**"]
        from: extension
      owner: ${AIRFLOW_UID}
      allowNone: true
    remedy: install with pip as airflow, not as root

  - id: AIR-EXT-006
    title: airflow and group 0 can read the added DAGs
    statements: [B20]
    source: Extending the image
    when: *extended
    expect:
      paths:
        every: ["${AIRFLOW_HOME}/dags/**"]
        from: extension
      readableBy: ["${AIRFLOW_UID}", "12345:0"]
      allowNone: true
    remedy: COPY --chown=airflow:root

  # The document shows that it can be done, and that customising is better.
  - id: AIR-EXT-007
    title: nothing for building was added by extending
    statements: [B19, E01]
    source: Extending the image
    severity: info
    when: *extended
    expect:
      packages:
        none: [build-essential, gcc, "gcc-[0-9]*", g++, "g++-[0-9]*", make, cmake]
        except: ["gcc-*-base"]
        from: extension
    remedy: customise the image with ADDITIONAL_DEV_DEPS

"""#),
            ("filesystem.yaml", #"""
group: filesystem
title: Directories, owners and modes
checks:
  - id: AIR-FS-001
    title: ${AIRFLOW_HOME} belongs to airflow and group 0, and both may write
    statements: [F24, F25, G15, J01, J02]
    source: "Production image build arguments: AIRFLOW_HOME"
    when: {versions: "1.10.11.."}
    expect:
      path: ${AIRFLOW_HOME}
      type: directory
      owner: ${AIRFLOW_UID}
      group: 0
      chmod: "ug+rwx,g=u"
    # The sample listing of the document has mode 0755.
    documented:
      path: ${AIRFLOW_HOME}
      type: directory
      owner: ${AIRFLOW_UID}
      group: 0
      mode: "0755"
    remedy: chown airflow:0 and chmod g=u ${AIRFLOW_HOME}

  - id: AIR-FS-002
    title: the folder for DAGs belongs to airflow and group 0, and both may write
    statements: [B21, F18, F24, F25, G15]
    source: Using the production image
    when: {versions: "1.10.11.."}
    expect:
      path: ${AIRFLOW_HOME}/dags
      type: directory
      owner: ${AIRFLOW_UID}
      group: 0
      chmod: "ug+rwx,g=u"
    # The sample listing of the document has mode 0755.
    documented:
      path: ${AIRFLOW_HOME}/dags
      type: directory
      owner: ${AIRFLOW_UID}
      group: 0
      mode: "0755"
    remedy: make ${AIRFLOW_HOME}/dags, chown airflow:0, chmod g=u

  - id: AIR-FS-003
    title: the folder for logs belongs to airflow and group 0, and both may write
    statements: [F19, F24, F25, G15]
    source: Using the production image
    when: {versions: "1.10.11.."}
    expect:
      path: ${AIRFLOW_HOME}/logs
      type: directory
      owner: ${AIRFLOW_UID}
      group: 0
      chmod: "ug+rwx,g=u"
    # The sample listing of the document has mode 0755.
    documented:
      path: ${AIRFLOW_HOME}/logs
      type: directory
      owner: ${AIRFLOW_UID}
      group: 0
      mode: "0755"
    remedy: make ${AIRFLOW_HOME}/logs, chown airflow:0, chmod g=u

  - id: AIR-FS-004
    title: the home directory belongs to airflow and group 0
    statements: [G18, G19, J01]
    source: "Production image build arguments: AIRFLOW_USER_HOME_DIR"
    expect:
      path: ${AIRFLOW_USER_HOME_DIR}
      type: directory
      owner: ${AIRFLOW_UID}
      group: 0
      chmod: "u+rwx,g+rx"
    remedy: chown airflow:0 ${AIRFLOW_USER_HOME_DIR}

  - id: AIR-FS-005
    title: group 0 may write in the home directory
    statements: [F07, J02, J08]
    source: Using the production image (OpenShift Guidelines)
    when: {versions: "2.2.4.."}
    expect:
      path: ${AIRFLOW_USER_HOME_DIR}
      type: directory
      chmod: "g=u"
    remedy: chmod g=u ${AIRFLOW_USER_HOME_DIR}

  - id: AIR-FS-006
    title: /opt belongs to root, and nobody else may write there
    statements: [F26]
    source: Using the production image
    expect:
      path: /opt
      type: directory
      owner: root
      group: 0
      chmod: "a+rx,go-w"
    remedy: chown root:root and chmod 0755 /opt

  - id: AIR-FS-007
    title: every file of airflow belongs to group 0
    statements: [G18, J01]
    source: "Production image build arguments: AIRFLOW_GID"
    expect:
      paths:
        every: ["${AIRFLOW_HOME}/**", "${AIRFLOW_USER_HOME_DIR}/**"]
      group: 0
      allowNone: true
    remedy: copy with --chown=airflow:0, or chgrp -R 0

  # COPY and pip make files with the usual modes: true of the image, lost by extending it as the document tells.
  - id: AIR-FS-008
    title: group 0 has the rights of the owner on every file of airflow
    statements: [J02, J03]
    source: Using the production image (OpenShift Guidelines)
    severity: info
    when: {versions: "1.10.11.."}
    expect:
      paths:
        every: ["${AIRFLOW_HOME}/**", "${AIRFLOW_USER_HOME_DIR}/.local/**"]
      chmod: "g=u"
      allowNone: true
    remedy: chmod -R g=u

  - id: AIR-FS-009
    title: nothing of airflow is writable by everybody
    statements: [J07]
    source: Using the production image (OpenShift Guidelines)
    expect:
      paths:
        every:
          - "${AIRFLOW_HOME}"
          - "${AIRFLOW_HOME}/**"
          - "${AIRFLOW_USER_HOME_DIR}"
          - "${AIRFLOW_USER_HOME_DIR}/**"
      # A sticky directory is as safe as /tmp.
      mode: {matches: "[0-7]{3}[0145]|[1357][0-7]{3}"}
    remedy: chmod -R o-w

  - id: AIR-FS-010
    title: the sources of Airflow are not in the image
    statements: [A03, C08, H08]
    source: "Production image build arguments: AIRFLOW_SOURCES_FROM, AIRFLOW_SOURCES_TO"
    expect:
      - {path: "${AIRFLOW_HOME}/airflow", absent: true}
      - {path: "${AIRFLOW_HOME}/setup.py", absent: true}
      - {path: /empty, absent: true}
    remedy: copy sources in the build stage only

  - id: AIR-FS-011
    title: Airflow looks for DAGs where they are to be
    statements: [B21, F18]
    source: Extending the image
    when:
      environment: AIRFLOW__CORE__DAGS_FOLDER
    expect:
      environment: AIRFLOW__CORE__DAGS_FOLDER
      equals: ${AIRFLOW_HOME}/dags
    remedy: leave AIRFLOW__CORE__DAGS_FOLDER unset

  - id: AIR-FS-012
    title: ${AIRFLOW_HOME} holds nothing but dags and logs
    statements: [F23]
    source: Using the production image
    severity: info
    # What is added to an image is wanted there.
    when: {none: [{lineage: extended}]}
    expect:
      paths:
        none: ["${AIRFLOW_HOME}/*"]
        except: ["${AIRFLOW_HOME}/dags", "${AIRFLOW_HOME}/logs"]
    remedy: start Airflow in a container, not while building

  - id: AIR-FS-013
    title: no sources and no files of the build context are left
    statements: [C08, H08, I01]
    source: "Production image build arguments: AIRFLOW_SOURCES_TO"
    expect:
      - {path: /docker-context-files, absent: true}
      - paths:
          none: ["${AIRFLOW_HOME}/pyproject.toml", "${AIRFLOW_HOME}/setup.cfg", "${AIRFLOW_HOME}/providers"]
    remedy: copy them in the build stage only

  - id: AIR-FS-014
    title: no file but those of Debian can be run with the rights of another user
    source: Dockerfile of every release line
    severity: warning
    expect:
      paths:
        none: ["/**"]
        except:
          - /usr/bin/chage
          - /usr/bin/chfn
          - /usr/bin/chsh
          - /usr/bin/expiry
          - /usr/bin/gpasswd
          - /usr/bin/ksu
          - /usr/bin/newgrp
          - /usr/bin/passwd
          - /usr/bin/ssh-agent
          - /usr/bin/sudo
          - /usr/bin/wall
          # Before Debian 12 these are in /bin and /sbin.
          - /bin/mount
          - /usr/bin/mount
          - /bin/su
          - /usr/bin/su
          - /bin/umount
          - /usr/bin/umount
          - /sbin/unix_chkpwd
          - /usr/sbin/unix_chkpwd
          - /usr/lib/openssh/ssh-keysign
          - /usr/lib/dbus-1.0/dbus-daemon-launch-helper
      type: file
      mode: {matches: "[2-7][0-7]{3}"}
    remedy: chmod u-s,g-s

  - id: AIR-FS-015
    title: a user that nobody knows, with group 0, can write where Airflow does
    statements: [F07, J01, J02]
    source: Using the production image (OpenShift Guidelines)
    when: {versions: "1.10.11.."}
    expect:
      paths: {every: ["${AIRFLOW_HOME}", "${AIRFLOW_HOME}/dags", "${AIRFLOW_HOME}/logs"]}
      writableBy: ["1234567:0", "${AIRFLOW_UID}"]
    remedy: chown airflow:0 and chmod g=u

"""#),
            ("image.yaml", #"""
group: image
title: What the image is, and what it is called
checks:
  # A name proves nothing; one that contradicts the content misleads whoever pulls it.
  - id: AIR-IMG-001
    title: a name of apache/airflow tells the installed version
    statements: [A01]
    source: Production Container Images
    severity: warning
    when:
      versions: "2.0.."
      names: {any: ["apache/airflow:*", "**/apache/airflow:*"]}
    expect:
      names: {none: ["apache/airflow:*", "**/apache/airflow:*"]}
      tag: {not: {matches: "(slim-)?(latest|${AIRFLOW_VERSION})(-python${PYTHON_MAJOR_MINOR_VERSION})?"}}
    remedy: tag the image again by its content

  - id: AIR-IMG-002
    title: the image has the name that it was to get
    statements: [C13]
    source: Customizing the image (example)
    when: {parameters: {IMAGE_NAME: {not: ""}}}
    expect:
      names: {any: ["${IMAGE_NAME}", "${IMAGE_NAME}:*", "**/${IMAGE_NAME}", "**/${IMAGE_NAME}:*"]}
    remedy: docker build --tag ${IMAGE_NAME}

  - id: AIR-IMG-003
    title: the image is made of Debian
    statements: [C05, G01]
    source: "Production image build arguments: PYTHON_BASE_IMAGE"
    expect:
      os: debian
      codename:
        "..2.2": buster
        # 2.8 and 2.9 could be built on bullseye.
        "2.3..2.7": {oneOf: [bullseye, bookworm]}
        "2.8..2.9": {oneOf: [bullseye, bookworm]}
        default: bookworm
    remedy: build on the Debian release of the line

  - id: AIR-IMG-004
    title: the base image that the image names is of the Debian release that is in it
    statements: [C05, G01]
    source: "Production image build arguments: PYTHON_BASE_IMAGE"
    when: {parameters: {PYTHON_BASE_CODENAME: {not: ""}}}
    expect:
      os: debian
      codename: ${PYTHON_BASE_CODENAME}
    remedy: pass as PYTHON_BASE_IMAGE what stands behind FROM

  - id: AIR-IMG-005
    title: the base image that the image names is of the line of Python that Airflow is installed for
    statements: [C04, C05, G01, G03]
    source: "Production image build arguments: PYTHON_MAJOR_MINOR_VERSION"
    when: {parameters: {PYTHON_BASE_VERSION: {not: ""}}}
    expect:
      python: apache-airflow
      equals: ${PYTHON_BASE_VERSION}
    remedy: PYTHON_MAJOR_MINOR_VERSION has to match PYTHON_BASE_IMAGE

  - id: AIR-IMG-006
    title: the image is for Linux on a processor that the line was made for
    source: Dockerfile of every release line
    severity: warning
    expect:
      config: platform
      value:
        "..2.2": {startsWith: linux/amd64}
        default: {matches: "linux/(amd64|arm64)(/.*)?"}
    remedy: build for linux/amd64

"""#),
            ("kerberos-probes.yaml", #"""
# Tokens of a real KDC. A start of Airflow takes seconds, so it is started as seldom as the statements allow.
group: kerberos
title: Kerberos
scenarios:
  kerberos-token:
    within: 300
    services:
      kdc: {kind: kdc}
    containers:
      refresher:
        args: [kerberos]
        environment: &refresher
          CONNECTION_CHECK_MAX_COUNT: "0"
          # The image ships no bytecode of Airflow: what the first container compiles, the others find.
          PYTHONPYCACHEPREFIX: /bytecode
          # The command itself needs no database.
          AIRFLOW__CORE__CHECK_MIGRATIONS: "False"
          AIRFLOW__DATABASE__CHECK_MIGRATIONS: "False"
          AIRFLOW__KERBEROS__PRINCIPAL: "${kdc.principal}"
          AIRFLOW__KERBEROS__KEYTAB: /run/airflow.keytab
          AIRFLOW__KERBEROS__CCACHE: /tokens/ccache
          # Seconds.
          AIRFLOW__KERBEROS__REINIT_FREQUENCY: "2"
          # The KDC sees another address than the container's.
          AIRFLOW__KERBEROS__INCLUDE_IP: "False"
        files:
          - {path: /run/airflow.keytab, from: kdc.keytab, mode: "0640"}
          - &client {path: /etc/krb5.conf, from: kdc.krb5.conf}
        volumes: {tokens: /tokens, bytecode: /bytecode}
      command:
        args: [celery, worker, --help]
        environment:
          CONNECTION_CHECK_MAX_COUNT: "0"
          PYTHONPYCACHEPREFIX: /bytecode
          AIRFLOW__CORE__EXECUTOR: CeleryExecutor
          # Nobody connects to it, but Celery does not go with SQLite.
          AIRFLOW__CORE__SQL_ALCHEMY_CONN: &url "postgresql+psycopg2://user:word@127.0.0.1/db"
          AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: *url
        volumes: {bytecode: /bytecode}
      # As a worker, without a keytab: it waits until it has seen three tokens, one after another.
      worker:
        args:
          - bash
          - -c
          - |
            count=0 last=
            for try in {1..1500}; do
                token=$(klist -c /tokens/ccache 2>/dev/null | grep krbtgt)
                if [[ -n $token && $token != "$last" ]]; then
                    count=$((count + 1)) last=$token
                    echo "token $count: $(klist -c /tokens/ccache | sed -n 's/^Default principal: //p')"
                    echo "volume: $(ls -A /tokens | tr '\n' ' ')"
                fi
                ((count < 3)) || exit 0
                sleep 0.1
            done
            exit 1
        environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
        volumes: {tokens: /tokens}
      # Its keytab is that of another principal.
      stranger:
        args: [kerberos]
        environment: *refresher
        files:
          - {path: /run/airflow.keytab, from: kdc.stranger.keytab, mode: "0640"}
          - *client
        volumes: {nothing: /tokens, bytecode: /bytecode}
    steps:
      - {start: refresher}
      - {start: worker}
      - {wait: worker}
      - {look: worker, files: [/tokens/ccache]}
      - {start: command}
      - {wait: command}
      - {start: stranger}
      - {wait: stranger, within: 120}
      - {look: stranger, files: [/tokens/ccache]}

checks:
  - id: AIR-KRB-101
    title: airflow kerberos obtains tokens with a keytab, again and again
    statements: [K01, K02, K03]
    source: Kerberos-authenticated workers
    run: kerberos-token
    expect:
      - {exit: worker, equals: 0}
      - {stdout: worker, contains: "token 3: airflow@PROBE.TEST"}
      - {connections: kdc, atLeast: 2}
    remedy: install krb5-user, and let the entrypoint pass kerberos on to airflow

  - id: AIR-KRB-102
    title: a worker in another container reads the token over a volume, without a keytab
    statements: [K07, K08]
    source: Kerberos-authenticated workers
    run: kerberos-token
    expect:
      # Nothing is there but the token: who has the volume has no keytab.
      - {stdout: worker, matches: "(?s)token 1: airflow@PROBE.TEST\nvolume: ccache (\n.*)?"}
      - {file: worker, path: /tokens/ccache, type: file, owner: airflow}
    remedy: install krb5-user; nothing but the token may be on the volume

  - id: AIR-KRB-103
    title: a keytab of another principal obtains nothing, and ends airflow kerberos
    statements: [K04]
    source: Kerberos-authenticated workers
    run: kerberos-token
    expect:
      - {exit: stranger, matches: "[1-9][0-9]*"}
      - {stdout: stranger, contains: no suitable keys}
      - {file: stranger, path: /tokens/ccache, absent: true}
    remedy: do not go on when kinit fails

  - id: AIR-KRB-104
    title: the image has the worker's command as well
    statements: [K07]
    source: Kerberos-authenticated workers
    when: {versions: "2.0.."}
    run: kerberos-token
    expect:
      - {exit: command, equals: 0}
      - {stdout: command, contains: celery worker}
    remedy: install the provider of Celery

"""#),
            ("kerberos.yaml", #"""
group: kerberos
title: Kerberos
checks:
  - id: AIR-KRB-001
    title: the tools to obtain tickets are installed
    statements: [K02]
    source: Kerberos-authenticated workers
    expect:
      - packages: {every: [krb5-user]}
      - commands: {every: [kinit, klist]}
    remedy: install krb5-user

  - id: AIR-KRB-002
    title: no keytab is in the image, in any layer
    statements: [K05]
    source: Kerberos-authenticated workers
    expect:
      layers: {none: ["/**/*.keytab"]}
    remedy: mount the keytab as a secret, into the container of airflow kerberos only

  - id: AIR-KRB-003
    title: no ticket is in the image, in any layer
    statements: [K06]
    source: Kerberos-authenticated workers
    expect:
      layers: {none: ["/tmp/krb5cc*", "/var/tmp/krb5cc*", "/**/airflow_krb5_ccache"]}
    remedy: share the ticket through a volume

"""#),
            ("labels.yaml", #"""
group: labels
title: Labels
checks:
  - id: AIR-LABEL-001
    title: the labels say that this is Airflow's image
    source: Dockerfile of every release line
    severity: warning
    expect:
      - {label: org.apache.airflow.distro, equals: debian}
      - {label: org.apache.airflow.module, equals: airflow}
      - {label: org.apache.airflow.component, equals: airflow}
      - {label: org.apache.airflow.image, equals: airflow}
    remedy: keep the labels of the Dockerfile

  - id: AIR-LABEL-002
    title: the label with the UID is right
    statements: [G16]
    source: "Production image build arguments: AIRFLOW_UID"
    expect:
      label: org.apache.airflow.uid
      equals: ${AIRFLOW_UID}
    remedy: LABEL org.apache.airflow.uid=${AIRFLOW_UID}

  - id: AIR-LABEL-003
    title: the label with the GID is right
    statements: [G17]
    source: "Production image build arguments: AIRFLOW_GID"
    when: {versions: "..2.1"}
    expect:
      label: org.apache.airflow.gid
      equals: ${AIRFLOW_GID}
    remedy: LABEL org.apache.airflow.gid=${AIRFLOW_GID}

  - id: AIR-LABEL-004
    title: the label with the version is right
    statements: [G04]
    source: "Production image build arguments: AIRFLOW_VERSION"
    when: {versions: "2.0.."}
    expect:
      label: org.apache.airflow.version
      equals: ${AIRFLOW_VERSION}
    remedy: LABEL org.apache.airflow.version=${AIRFLOW_VERSION}

  - id: AIR-LABEL-005
    title: the labels of the OCI name vendor, licence and source
    source: Dockerfile of every release line
    severity: info
    when: {versions: "2.0.2.."}
    expect:
      - {label: org.opencontainers.image.vendor, equals: Apache Software Foundation}
      - {label: org.opencontainers.image.licenses, equals: Apache-2.0}
      - {label: org.opencontainers.image.ref.name, equals: airflow}
      - {label: org.opencontainers.image.source, startsWith: "https://"}
    remedy: keep the labels of the Dockerfile

  - id: AIR-LABEL-006
    title: the labels repeat the build and the commit that the variables say
    source: Dockerfile of Airflow 2.0.2 and later
    severity: warning
    when: {versions: "2.0.2.."}
    expect:
      - {label: org.apache.airflow.main-image.build-id, equals: "${BUILD_ID}"}
      - {label: org.apache.airflow.main-image.commit-sha, equals: "${COMMIT_SHA}"}
    remedy: give labels and variables the same build arguments

  - id: AIR-LABEL-007
    title: the labels repeat the build and the commit that the variables say
    source: Dockerfile of Airflow 1.10.12 to 2.0.1
    severity: warning
    when: {versions: "1.10.12..2.0.1"}
    expect:
      - {label: org.apache.airflow.mainImage.buildId, equals: "${BUILD_ID}"}
      - {label: org.apache.airflow.mainImage.commitSha, equals: "${COMMIT_SHA}"}
    remedy: give labels and variables the same build arguments

  - id: AIR-LABEL-008
    title: the label of the OCI with the version is right
    statements: [G04]
    source: Dockerfile of Airflow 2.0.2 and later
    severity: info
    when: {versions: "2.0.2.."}
    expect:
      label: org.opencontainers.image.version
      equals: ${AIRFLOW_VERSION}
    remedy: LABEL org.opencontainers.image.version=${AIRFLOW_VERSION}

  - id: AIR-LABEL-009
    title: the label with the Debian release is right
    statements: [C05]
    source: Dockerfile of Airflow up to 2.1
    severity: warning
    when: {versions: "..2.1"}
    expect:
      label: org.apache.airflow.distro.version
      equals: buster
    remedy: LABEL org.apache.airflow.distro.version=buster

  - id: AIR-LABEL-010
    title: the label with the Python version is right
    statements: [G02]
    source: Dockerfile of Airflow 3.1 and later
    when: {versions: "3.1.."}
    expect:
      label: org.apache.airflow.python.version
      matches: "${PYTHON_MAJOR_MINOR_VERSION}(\\..*)?"
    remedy: give the label the same build argument

  - id: AIR-LABEL-011
    title: the labels of the OCI tell the commit that the variables say
    source: Dockerfile of Airflow 2.0.2 and later
    severity: info
    when: {versions: "2.0.2.."}
    expect:
      label: org.opencontainers.image.revision
      equals: ${COMMIT_SHA}
    remedy: LABEL org.opencontainers.image.revision=${COMMIT_SHA}

"""#),
            ("layers.yaml", #"""
# What layers carry, whether or not a later one hides it. Lists and archives of packages, caches, keytabs and tickets are
# looked for in every layer too, by the checks of their subjects.
group: layers
title: What the layers carry
checks:
  - id: AIR-LAYER-001
    title: no file is stored twice to change its owner or mode
    statements: [A03]
    source: The image
    severity: warning
    expect:
      layers: {none: ["/**"]}
      copied: true
      # The Dockerfile changes the modes of scripts and of /etc/passwd in steps of their own.
      allowedBytes: 1048576
    remedy: COPY --chown and --chmod, or change them in the step that makes the files

"""#),
            ("libraries.yaml", #"""
group: libraries
title: Shared libraries of Python extensions
checks:
  - id: AIR-LIB-001
    title: every library that Python's driver for PostgreSQL needs is there
    statements: [A04, C01]
    source: Customising the image
    when: {distributions: {any: [psycopg2, psycopg2-binary]}}
    expect:
      linked: {every: ["${AIRFLOW_USER_HOME_DIR}/.local/lib/python*/site-packages/psycopg2/_psycopg*.so"]}
    remedy: add the package of the library to ADDITIONAL_RUNTIME_DEPS

  # Some extensions count on libraries that the importing module loads first, or are for machines of another kind.
  - id: AIR-LIB-002
    title: every library that an extension of Python needs is there
    statements: [A04, C01]
    source: Customising the image
    severity: warning
    expect:
      linked:
        every: ["${AIRFLOW_USER_HOME_DIR}/.local/lib/python*/site-packages/**/*.so"]
        except:
          # These have checks of their own.
          - "/**/site-packages/MySQLdb/*"
          - "/**/site-packages/psycopg2/*"
          # What a wheel brings along is not loaded by itself, but by an extension that says where it is.
          - "/**/site-packages/*.libs/**"
      allowNone: true
    remedy: add the package of the library to ADDITIONAL_RUNTIME_DEPS

"""#),
            ("mysql.yaml", #"""
# The client comes from Oracle's packages up to 2.7, from MariaDB's from 2.8.1, from Debian's on arm64.
group: mysql
title: The MySQL client, as INSTALL_MYSQL_CLIENT says
checks:
  - id: AIR-MYSQL-001
    title: a MySQL client is installed
    statements: [G21]
    source: "Production image build arguments: INSTALL_MYSQL_CLIENT"
    when: &with-client
      parameters: {INSTALL_MYSQL_CLIENT: "true"}
      any:
        - {config: platform, not: {startsWith: linux/arm64}}
        # Earlier images for arm64 have none.
        - versions: "2.6.."
    expect:
      packages:
        any:
          - mysql-client
          - "mysql-client-[0-9]*"
          - mysql-community-client
          - mysql-community-client-core
          - default-mysql-client
          - mariadb-client
          - "mariadb-client-[0-9]*"
          - mariadb-client-core
          - "mariadb-client-core-[0-9]*"
    remedy: build with --build-arg INSTALL_MYSQL_CLIENT=true

  - id: AIR-MYSQL-002
    title: the library of the MySQL client is there
    statements: [G21]
    source: "Production image build arguments: INSTALL_MYSQL_CLIENT"
    when: *with-client
    expect:
      libraries: {any: ["libmysqlclient.so.*", "libmariadb.so.*"]}
    remedy: build with --build-arg INSTALL_MYSQL_CLIENT=true

  - id: AIR-MYSQL-003
    title: the MySQL client can be run
    statements: [G21]
    source: "Production image build arguments: INSTALL_MYSQL_CLIENT"
    when: *with-client
    expect:
      commands: {any: [mysql, mariadb]}
    remedy: build with --build-arg INSTALL_MYSQL_CLIENT=true

  - id: AIR-MYSQL-004
    title: Python's driver for MySQL is installed
    statements: [A02, G08, G21]
    source: "Production image build arguments: AIRFLOW_EXTRAS, INSTALL_MYSQL_CLIENT"
    when:
      parameters: {INSTALL_MYSQL_CLIENT: "true"}
      all:
        - {config: platform, not: {startsWith: linux/arm64}}
        # Slim images have no drivers.
        - variant: regular
        - any:
            - parameters: {AIRFLOW_EXTRAS: ""}
            - parameters: {AIRFLOW_EXTRAS: {matches: "(.*,)?mysql(,.*)?"}}
    expect:
      distributions: {every: [mysqlclient]}
    remedy: keep mysql in AIRFLOW_EXTRAS

  - id: AIR-MYSQL-005
    title: no MySQL client is installed
    statements: [G21, G22]
    source: "Production image build arguments: INSTALL_MYSQL_CLIENT"
    when: &without-client
      parameters: {INSTALL_MYSQL_CLIENT: "false"}
    expect:
      packages:
        none:
          - mysql-client
          - "mysql-client-*"
          - "mysql-community-client*"
          - default-mysql-client
          - mariadb-client
          - "mariadb-client-*"
          - "libmysqlclient[0-9]*"
          - libmariadb3-compat
        except: ["${ADDITIONAL_RUNTIME_DEPS}"]
    remedy: build with --build-arg INSTALL_MYSQL_CLIENT=false

  - id: AIR-MYSQL-006
    title: no MySQL client can be run
    statements: [G21, G22]
    source: "Production image build arguments: INSTALL_MYSQL_CLIENT"
    when: *without-client
    expect:
      commands: {none: [mysql, mariadb]}
    remedy: build with --build-arg INSTALL_MYSQL_CLIENT=false

  # Before apache/airflow#39610 the extra was removed too late, and never when it stood last in the list.
  - id: AIR-MYSQL-007
    title: the mysql extra is removed with the client
    statements: [G22]
    source: "Production image build arguments: INSTALL_MYSQL_CLIENT"
    when: *without-client
    expect:
      distributions:
        none: [mysqlclient, mysql-connector-python, apache-airflow-providers-mysql]
    remedy: remove mysql from AIRFLOW_EXTRAS as well

  - id: AIR-MYSQL-008
    title: no source of MySQL packages is configured
    statements: [D01, G22]
    source: External sources for dependencies
    when: *without-client
    expect:
      paths: {none: ["/etc/apt/sources.list.d/*mysql*", "/etc/apt/sources.list.d/*mariadb*"]}
    remedy: remove the file from /etc/apt/sources.list.d

  - id: AIR-MYSQL-009
    title: the client is MariaDB's, as INSTALL_MYSQL_CLIENT_TYPE says
    statements: [G21]
    source: "Dockerfile of Airflow 2.7.3 and later: INSTALL_MYSQL_CLIENT_TYPE"
    when:
      parameters: {INSTALL_MYSQL_CLIENT: "true", INSTALL_MYSQL_CLIENT_TYPE: mariadb}
    expect:
      packages: {none: [mysql-community-client, mysql-community-client-core, "libmysqlclient[0-9]*"]}
    remedy: build with --build-arg INSTALL_MYSQL_CLIENT_TYPE=mysql where that is what is wanted

  - id: AIR-MYSQL-010
    title: the client is Oracle's, as INSTALL_MYSQL_CLIENT_TYPE says
    statements: [G21]
    source: "Dockerfile of Airflow 2.7.3 and later: INSTALL_MYSQL_CLIENT_TYPE"
    when:
      parameters: {INSTALL_MYSQL_CLIENT: "true", INSTALL_MYSQL_CLIENT_TYPE: mysql}
      none:
        - {config: platform, startsWith: linux/arm64}
        # 2.8.0 mixed the two.
        - versions: "==2.8.0"
    expect:
      packages: {any: [mysql-client, mysql-community-client, mysql-community-client-core]}
    remedy: build with --build-arg INSTALL_MYSQL_CLIENT_TYPE=mariadb where that is what is wanted

  - id: AIR-MYSQL-020
    title: every library that Python's driver for MySQL needs is there
    statements: [G21]
    source: "Production image build arguments: INSTALL_MYSQL_CLIENT"
    when: {distributions: {any: [mysqlclient]}}
    expect:
      linked: {every: ["${AIRFLOW_USER_HOME_DIR}/.local/lib/python*/site-packages/MySQLdb/_mysql*.so"]}
    remedy: build with the client whose library the driver was built with

"""#),
            ("packages.yaml", #"""
group: packages
title: Debian packages
checks:
  - id: AIR-APT-001
    title: the additional run-time packages are installed
    statements: [G14, C12, I07]
    source: "Production image build arguments: ADDITIONAL_RUNTIME_DEPS"
    when: {parameters: {ADDITIONAL_RUNTIME_DEPS: {not: ""}}}
    expect:
      packages: {every: ["${ADDITIONAL_RUNTIME_DEPS}"]}
    remedy: "build with --build-arg ADDITIONAL_RUNTIME_DEPS=\"${ADDITIONAL_RUNTIME_DEPS}\""

  - id: AIR-APT-002
    title: Debian packages can be added with apt
    statements: [B07, B11]
    source: Extending the image
    expect:
      commands: {every: [apt-get, dpkg]}
    remedy: do not remove apt from the base image

  - id: AIR-APT-003
    title: no list of packages is left behind
    statements: [A03, B12]
    source: Extending the image
    expect:
      layers:
        none: ["/var/lib/apt/lists/**"]
        except: [/var/lib/apt/lists/lock]
    remedy: rm -rf /var/lib/apt/lists/* in the step that ran apt-get update

  - id: AIR-APT-004
    title: no archive of a package is left behind
    statements: [A03, B12]
    source: Extending the image
    expect:
      layers: {none: ["/var/cache/apt/archives/**/*.deb"]}
    remedy: apt-get clean in the step that ran apt-get install

  - id: AIR-APT-005
    title: every Debian package is installed to the end
    statements: [B07, B11]
    source: Extending the image
    expect:
      packages: {none: ["*"]}
      status: {matches: ".*(half-installed|unpacked|half-configured|triggers-awaited|triggers-pending|reinstreq.*)"}
    remedy: let apt-get install finish

  - id: AIR-APT-006
    title: the packages that every release line installs are there
    statements: [A04]
    source: Dockerfile of every release line
    severity: warning
    when: &own-list
      # A list of one's own replaces that of the Dockerfile.
      any:
        - versions: "..2.3"
        - parameters: {RUNTIME_APT_DEPS: ""}
    expect:
      packages:
        every:
          - apt-transport-https
          - apt-utils
          - ca-certificates
          - curl
          - dumb-init
          - freetds-bin
          - gnupg
          - krb5-user
          - ldap-utils
          - libsasl2-2
          - libsasl2-modules
          - locales
          - lsb-release
          - openssh-client
          - rsync
          - sasl2-bin
          - sqlite3
          - sudo
          - unixodbc
    remedy: install them, or pass RUNTIME_APT_DEPS

  - id: AIR-APT-007
    title: the libraries of the Debian release are there
    statements: [A04]
    source: Dockerfile of every release line
    severity: warning
    when:
      all: [*own-list, {os: debian, codename: bookworm}]
      versions: "2.8.."
    expect:
      packages: {every: [libffi8, libldap-2.5-0, libssl3, netcat-openbsd]}
    remedy: install them, or pass RUNTIME_APT_DEPS

  - id: AIR-APT-008
    title: the libraries of the Debian release are there
    statements: [A04]
    source: Dockerfile of every release line
    severity: warning
    when:
      all: [*own-list, {os: debian, codename: bullseye}]
      versions: "2.3..2.7"
    expect:
      packages: {every: [libffi7, libldap-2.4-2, libssl1.1]}
    remedy: install them, or pass RUNTIME_APT_DEPS

  - id: AIR-APT-009
    title: the libraries of the Debian release are there
    statements: [A04]
    source: Dockerfile of every release line
    severity: warning
    when:
      all: [*own-list, {os: debian, codename: buster}]
    expect:
      packages: {every: [libffi6, libssl1.1]}
    remedy: install them, or pass RUNTIME_APT_DEPS

  - id: AIR-APT-010
    title: the libraries for geometry and event loops are there
    statements: [A04]
    source: Dockerfile of Airflow 2.9 and later
    severity: warning
    when:
      all: [*own-list]
      versions: "2.9.."
    expect:
      packages: {every: [libgeos-dev, libev4, libxmlsec1]}
    remedy: install them, or pass RUNTIME_APT_DEPS

  - id: AIR-APT-011
    title: gosu is not installed any more
    source: Dockerfile of Airflow 2.8.3 and later
    severity: info
    when: {versions: "2.8.3.."}
    expect:
      packages: {none: [gosu], from: base}
    remedy: leave gosu out

  - id: AIR-APT-012
    title: Git is installed
    source: Dockerfile of Airflow 3.0.2 and later
    severity: warning
    when:
      all: [*own-list]
      versions: "3.0.2.."
    expect:
      packages: {every: [git]}
    remedy: install git

  # The build of 3.1 and later ends when Debian's Python is drawn in.
  - id: AIR-APT-013
    title: Debian's Python library is not in the image
    source: Dockerfile of Airflow 3.1 and later
    severity: warning
    when: {versions: "3.1.."}
    expect:
      packages: {none: ["libpython3*"], from: base}
    remedy: leave out the packages that need Debian's Python

  - id: AIR-APT-014
    title: the packages that the image says were asked for are installed
    statements: [G14]
    source: "Production image build arguments: ADDITIONAL_RUNTIME_DEPS"
    when: {parameters: {RUNTIME_APT_DEPS: {not: ""}}}
    expect:
      packages: {every: ["${RUNTIME_APT_DEPS}"]}
    remedy: ENV RUNTIME_APT_DEPS has to be what was installed

  - id: AIR-APT-015
    title: the PostgreSQL client is installed
    source: "Dockerfile of Airflow 2.3 and later: INSTALL_POSTGRES_CLIENT"
    when:
      versions: "2.3.."
      parameters: {INSTALL_POSTGRES_CLIENT: "true"}
    expect:
      - packages: {any: [postgresql-client, "postgresql-client-[0-9]*"]}
      - commands: {every: [psql]}
    remedy: build with --build-arg INSTALL_POSTGRES_CLIENT=true

  - id: AIR-APT-016
    title: no PostgreSQL client is installed
    source: "Dockerfile of Airflow 2.3 and later: INSTALL_POSTGRES_CLIENT"
    when:
      parameters: {INSTALL_POSTGRES_CLIENT: "false"}
    expect:
      packages: {none: [postgresql-client, "postgresql-client-[0-9]*"], except: ["${ADDITIONAL_RUNTIME_DEPS}"]}
    remedy: build with --build-arg INSTALL_POSTGRES_CLIENT=false

  - id: AIR-APT-017
    title: the ODBC driver for SQL Server is installed
    source: "Dockerfile of Airflow 2.3 and later: INSTALL_MSSQL_CLIENT"
    when:
      versions: "2.3.."
      parameters: {INSTALL_MSSQL_CLIENT: "true"}
      # Earlier images for arm64 have none.
      any:
        - {config: platform, not: {startsWith: linux/arm64}}
        - versions: "2.5.1.."
    expect:
      packages: {any: [msodbcsql17, msodbcsql18]}
    remedy: build with --build-arg INSTALL_MSSQL_CLIENT=true

  - id: AIR-APT-018
    title: no ODBC driver for SQL Server is installed
    source: "Dockerfile of Airflow 2.3 and later: INSTALL_MSSQL_CLIENT"
    when:
      parameters: {INSTALL_MSSQL_CLIENT: "false"}
    expect:
      packages: {none: ["msodbcsql*"], except: ["${ADDITIONAL_RUNTIME_DEPS}"]}
    remedy: build with --build-arg INSTALL_MSSQL_CLIENT=false

  # 1.10 has no library for LDAP.
  - id: AIR-APT-019
    title: the library for LDAP is there
    statements: [A04]
    source: Dockerfile of Airflow 2.0 to 2.2
    severity: warning
    when:
      all: [*own-list, {os: debian, codename: buster}]
      versions: "2.0..2.2"
    expect:
      packages: {every: [libldap-2.4-2]}
    remedy: install it, or pass RUNTIME_APT_DEPS

"""#),
            ("profiles.yaml", #"""
# Release lines, newest first: the first whose marks are in the image is its line. The marks are what the
# Dockerfiles of the line leave in every image; the installed version decides only between lines that leave the
# same ones. Images were pushed again under old tags with newer Dockerfiles: they are judged as what they are.
profiles:
  - id: "3.1-3.3"
    title: Airflow 3.1 to 3.3
    versions: "3.1..3.3"
    parameters:
      DEFAULT_EXTRAS: "\
        aiobotocore,amazon,async,celery,cncf-kubernetes,common-io,common-messaging,docker,elasticsearch,ftp,git,\
        google,google-auth,graphviz,grpc,hashicorp,http,ldap,microsoft-azure,odbc,openlineage,pandas,redis,\
        sendgrid,sftp,slack,snowflake,ssh,statsd,uv"
      AIRFLOW_INSTALL_SOURCES: apache-airflow
    when: {environment: AIRFLOW_PYTHON_VERSION}
  - id: "3.0"
    title: Airflow 3.0
    versions: "3.0"
    parameters:
      DEFAULT_EXTRAS: "\
        aiobotocore,amazon,async,celery,cncf-kubernetes,common-io,docker,elasticsearch,ftp,google,google-auth,\
        graphviz,grpc,hashicorp,http,ldap,microsoft-azure,odbc,openlineage,pandas,redis,sendgrid,sftp,slack,\
        snowflake,ssh,statsd,uv"
      AIRFLOW_INSTALL_SOURCES: apache-airflow
    when: {versions: "3..", environment: VIRTUAL_ENV}
  - id: "2.8-2.11"
    title: Airflow 2.8 to 2.11
    versions: "2.8..2.11"
    parameters:
      DEFAULT_EXTRAS: "\
        amazon,async,celery,cncf-kubernetes,docker,elasticsearch,ftp,google,google-auth,grpc,hashicorp,http,\
        ldap,microsoft-azure,odbc,pandas,redis,sendgrid,sftp,slack,snowflake,ssh,statsd,virtualenv"
      AIRFLOW_INSTALL_SOURCES: apache-airflow
    when:
      any:
        # From 2.9.0.
        - environment: VIRTUAL_ENV
        # 2.8 is the first line on bookworm, and may be built on bullseye.
        - all:
            - environment: DUMB_INIT_SETSID
            - any:
                - versions: "2.8.."
                - os: debian
                  codename: bookworm
  - id: "2.3-2.7"
    title: Airflow 2.3 to 2.7
    versions: "2.3..2.7"
    parameters:
      DEFAULT_EXTRAS: "\
        amazon,async,celery,cncf-kubernetes,docker,elasticsearch,ftp,google,google-auth,grpc,hashicorp,http,\
        ldap,microsoft-azure,odbc,pandas,redis,sendgrid,sftp,slack,ssh,statsd,virtualenv"
      AIRFLOW_INSTALL_SOURCES: apache-airflow
    when:
      all:
        - environment: DUMB_INIT_SETSID
        - any:
            - versions: "2.3.."
            - os: debian
              codename: bullseye
  - id: "2.2"
    title: Airflow 2.2, and releases from 2.0.2 that were pushed again in 2022
    versions: "2.2"
    parameters:
      DEFAULT_EXTRAS: "\
        amazon,async,celery,cncf-kubernetes,docker,elasticsearch,ftp,google,grpc,hashicorp,http,ldap,\
        microsoft-azure,redis,sendgrid,sftp,slack,ssh,statsd,virtualenv"
      AIRFLOW_INSTALL_SOURCES: apache-airflow
    when:
      all:
        - environment: DUMB_INIT_SETSID
        - {environment: AIRFLOW_GID, absent: true}
  - id: "2.0.2-2.1"
    title: Airflow 2.0.2 to 2.1
    versions: "2.0.2..2.1"
    parameters:
      DEFAULT_EXTRAS: "\
        amazon,async,celery,cncf-kubernetes,docker,elasticsearch,ftp,google,grpc,hashicorp,http,ldap,\
        microsoft-azure,redis,sendgrid,sftp,slack,ssh,statsd,virtualenv"
      AIRFLOW_INSTALL_SOURCES: apache-airflow
    when:
      any:
        - environment: PIP_USER
        - label: org.apache.airflow.main-image.build-id
  - id: "2.0.0-2.0.1"
    title: Airflow 2.0.0 and 2.0.1
    versions: "2.0.0..2.0.1"
    parameters:
      DEFAULT_EXTRAS: "\
        amazon,async,celery,cncf-kubernetes,docker,elasticsearch,ftp,google,grpc,hashicorp,http,ldap,\
        microsoft-azure,redis,sendgrid,sftp,slack,ssh,statsd,virtualenv"
      AIRFLOW_INSTALL_SOURCES: apache-airflow
    when:
      # 1.10.14 has the same marks.
      versions: "2.."
      any:
        - environment: AIRFLOW_PIP_VERSION
        - label: org.apache.airflow.version
  - id: "1.10"
    title: Airflow 1.10, and 2.0.0.dev0 as the document builds it
    # Up to its last release: 2.0.0.dev0 is judged as the nearest one.
    versions: "1.10..1.10.15"
    parameters:
      DEFAULT_EXTRAS: "async,aws,azure,celery,dask,elasticsearch,gcp,kubernetes,redis,slack,ssh,statsd,virtualenv"
    when:
      any:
        - environment: ADDITIONAL_RUNTIME_DEPS
        - environment: AIRFLOW_GID
        - versions: "..1.10"

# Which kind of image of its line it is: by the distributions that only the extras of a regular image bring.
variants:
  - id: regular
    title: with the extras of the Dockerfile
    when:
      distributions: {most: &extras [celery, elasticsearch, kubernetes, paramiko, redis, slack-sdk, statsd]}
  - id: slim
    title: Airflow without extras
    when:
      distributions: {none: *extras}
  - id: custom
    title: with some extras

"""#),
            ("python.yaml", #"""
group: python
title: Airflow and its Python
checks:
  - id: AIR-PY-001
    title: Airflow is installed in the user library of airflow
    statements: [B14]
    source: Extending the image
    expect:
      distributions: {any: [apache-airflow, apache-airflow-core]}
      location: {startsWith: "${AIRFLOW_USER_HOME_DIR}/.local/lib/python"}
    remedy: install it as airflow, not as root

  - id: AIR-PY-002
    title: the version that the image claims is the one that is installed
    statements: [G04, H04]
    source: "Production image build arguments: AIRFLOW_VERSION"
    # In the 1.10 line AIRFLOW_VERSION did not choose what is installed.
    when: {versions: "2.0.."}
    expect:
      distributions: {every: [apache-airflow]}
      version: ${AIRFLOW_VERSION}
    remedy: build with --build-arg AIRFLOW_VERSION of the version that is installed

  - id: AIR-PY-003
    title: the command airflow is the one of the user library
    statements: [B14, F29]
    source: Using the production image
    expect:
      commands: {every: [airflow]}
      path: ${AIRFLOW_USER_HOME_DIR}/.local/bin/airflow
    remedy: put ${AIRFLOW_USER_HOME_DIR}/.local/bin first on the PATH

  - id: AIR-PY-004
    title: nothing of Airflow is installed in another place
    statements: [B14]
    source: Extending the image
    expect:
      - distributions: {none: [apache-airflow, "apache-airflow-*"]}
        location: {not: {startsWith: "${AIRFLOW_USER_HOME_DIR}/.local/"}}
      - paths: {none: ["/root/.local/**"]}
        type: file
    remedy: install it as airflow, not as root

  - id: AIR-PY-005
    title: Python ${PYTHON_MAJOR_MINOR_VERSION} is what runs and what Airflow is installed for
    statements: [C04, G02, G03]
    source: "Production image build arguments: PYTHON_MAJOR_MINOR_VERSION"
    expect:
      - python: apache-airflow
        equals: ${PYTHON_MAJOR_MINOR_VERSION}
      - commands: {every: [python]}
        resolved: {endsWith: "/python${PYTHON_MAJOR_MINOR_VERSION}"}
    remedy: PYTHON_MAJOR_MINOR_VERSION has to match PYTHON_BASE_IMAGE

  - id: AIR-PY-006
    title: the user airflow can add Python packages with pip
    statements: [B08]
    source: Extending the image
    expect:
      commands: {every: [pip]}
    remedy: do not remove pip

  - id: AIR-PY-007
    title: the user library is a virtual environment
    statements: [B14, B15]
    source: Extending the image
    when: {versions: "2.9.."}
    expect:
      - path: ${AIRFLOW_USER_HOME_DIR}/.local/pyvenv.cfg
        type: file
      - {environment: VIRTUAL_ENV, equals: "${AIRFLOW_USER_HOME_DIR}/.local"}
    remedy: python -m venv ${AIRFLOW_USER_HOME_DIR}/.local

  - id: AIR-PY-008
    title: no cache of pip or uv is left behind
    statements: [A03, B17]
    source: Extending the image
    expect:
      layers:
        none:
          - "${AIRFLOW_USER_HOME_DIR}/.cache/pip/**"
          - "${AIRFLOW_USER_HOME_DIR}/.cache/uv/**"
          - "/root/.cache/pip/**"
          - "/root/.cache/uv/**"
          - "/tmp/.cache/pip/**"
          - "/tmp/.cache/uv/**"
    remedy: install with pip --no-cache-dir

  # pip compiles what it adds: true of the image, lost by extending it as the document tells.
  - id: AIR-PY-009
    title: no compiled Python file takes space in the user library
    statements: [A03]
    source: Customizing or extending the Production Image
    severity: info
    expect:
      paths:
        none:
          - "${AIRFLOW_USER_HOME_DIR}/.local/**/__pycache__"
          - "${AIRFLOW_USER_HOME_DIR}/.local/**/*.pyc"
    remedy: delete *.pyc and __pycache__ in the step that installs

  - id: AIR-PY-010
    title: what the web assets were built with is not in the image
    statements: [A03, H07]
    source: "Production image build arguments: AIRFLOW_WWW"
    expect:
      paths: {none: ["${AIRFLOW_USER_HOME_DIR}/.local/lib/python*/site-packages/airflow/**/node_modules"]}
    remedy: remove node_modules in the step that compiles the assets

  - id: AIR-PY-011
    title: Airflow is a released package
    statements: [C06, H02, I04]
    source: "Production image build arguments: AIRFLOW_INSTALL_SOURCES"
    when: {parameters: {AIRFLOW_INSTALL_SOURCES: {oneOf: ["", apache-airflow]}}}
    expect:
      distributions: {every: [apache-airflow]}
      directURL: {absent: true}
    remedy: build with --build-arg AIRFLOW_INSTALL_SOURCES=apache-airflow

  - id: AIR-PY-012
    title: Airflow is built from local sources
    statements: [H01, I01]
    source: "Production image build arguments: AIRFLOW_INSTALL_SOURCES"
    when: &writes-direct-url
      parameters: {AIRFLOW_INSTALL_SOURCES: "."}
      versions: "2.0.."
      # Earlier versions of pip do not write down where from they install (PEP 610).
      distributions: {any: [pip]}
      version: {version: ">=20.1"}
    expect:
      distributions: {every: [apache-airflow]}
      directURL: {contains: "file:///"}
    remedy: build with --build-arg AIRFLOW_INSTALL_SOURCES=.

  - id: AIR-PY-013
    title: Airflow is built from the place that was asked for
    statements: [H03, I02]
    source: "Production image build arguments: AIRFLOW_INSTALL_SOURCES"
    when:
      parameters: {AIRFLOW_INSTALL_SOURCES: {matches: "https?://.*"}}
      distributions: {any: [pip]}
      version: {version: ">=20.1"}
    expect:
      distributions: {every: [apache-airflow]}
      directURL: {contains: "${AIRFLOW_INSTALL_SOURCES}"}
    remedy: "build with --build-arg AIRFLOW_INSTALL_SOURCES=${AIRFLOW_INSTALL_SOURCES}"

  - id: AIR-PY-014
    title: slugify uses text-unidecode
    statements: [H06]
    source: "Production image build arguments: SLUGIFY_USES_TEXT_UNIDECODE"
    when:
      versions: "1.10.1..1.10.2"
      parameters: {SLUGIFY_USES_TEXT_UNIDECODE: {not: ""}}
    expect:
      - distributions: {every: [text-unidecode]}
      - distributions: {none: [unidecode]}
    remedy: build with --build-arg SLUGIFY_USES_TEXT_UNIDECODE=yes

  - id: AIR-PY-015
    title: the web assets are compiled
    statements: [H07]
    source: "Production image build arguments: AIRFLOW_WWW"
    when: {versions: "..2.11"}
    expect:
      paths:
        any:
          - "${AIRFLOW_USER_HOME_DIR}/.local/lib/python*/site-packages/airflow/www/static/dist/manifest.json"
          - "${AIRFLOW_USER_HOME_DIR}/.local/lib/python*/site-packages/airflow/www_rbac/static/dist/manifest.json"
      type: file
    # The Dockerfile looks which folder there is, whatever the argument says.
    documented:
      paths:
        any:
          - "${AIRFLOW_USER_HOME_DIR}/.local/lib/python*/site-packages/airflow/${AIRFLOW_WWW}/static/dist/manifest.json"
      type: file
    remedy: compile the assets before the package is built

  - id: AIR-PY-016
    title: the files that the web assets were compiled with are removed
    statements: [A03, H07]
    source: "Production image build arguments: AIRFLOW_WWW"
    severity: warning
    when: {versions: "..2.0"}
    expect:
      paths:
        none:
          - "${AIRFLOW_USER_HOME_DIR}/.local/lib/python*/site-packages/airflow/www*/package.json"
          - "${AIRFLOW_USER_HOME_DIR}/.local/lib/python*/site-packages/airflow/www*/yarn.lock"
          - "${AIRFLOW_USER_HOME_DIR}/.local/lib/python*/site-packages/airflow/www*/webpack.config.js"
    remedy: remove them in the step that compiles the assets

  - id: AIR-PY-017
    title: pip is of the version that the image says
    source: "Dockerfile of Airflow 2.0 and later: AIRFLOW_PIP_VERSION"
    severity: warning
    when: {parameters: {AIRFLOW_PIP_VERSION: {matches: "[0-9].*"}}}
    expect:
      distributions: {any: [pip]}
      version: ${AIRFLOW_PIP_VERSION}
    remedy: install pip==${AIRFLOW_PIP_VERSION}

  - id: AIR-PY-018
    title: uv is of the version that the image says
    source: "Dockerfile of Airflow 2.9 and later: AIRFLOW_UV_VERSION"
    severity: warning
    when:
      parameters: {AIRFLOW_USE_UV: "true", AIRFLOW_UV_VERSION: {matches: "[0-9].*"}}
    expect:
      distributions: {any: [uv]}
      version: ${AIRFLOW_UV_VERSION}
    remedy: install uv==${AIRFLOW_UV_VERSION}

  # Every example of the document builds 1.10.12 and leaves AIRFLOW_VERSION at its default.
  - id: AIR-PY-019
    title: AIRFLOW_VERSION is a release of the line, or the default of the document
    statements: [G04, I09]
    source: "Production image build arguments: AIRFLOW_VERSION"
    severity: warning
    when: {versions: "..1.10"}
    expect:
      environment: AIRFLOW_VERSION
      matches: "1\\.10\\..*|2\\.0\\.0\\.dev0"
    remedy: build with --build-arg AIRFLOW_VERSION of the version that is installed

  - id: AIR-PY-020
    title: a slim image has the providers that Airflow itself needs, and no other
    source: Dockerfile of Airflow 2.3 and later
    severity: warning
    when:
      versions: "2.3..2.11"
      variant: slim
      none: [{lineage: extended}]
    expect:
      distributions:
        none: ["apache-airflow-providers-*"]
        except:
          - apache-airflow-providers-common-compat
          - apache-airflow-providers-common-io
          - apache-airflow-providers-common-sql
          - apache-airflow-providers-fab
          - apache-airflow-providers-ftp
          - apache-airflow-providers-http
          - apache-airflow-providers-imap
          - apache-airflow-providers-smtp
          - apache-airflow-providers-sqlite
    remedy: build with empty AIRFLOW_EXTRAS

  - id: AIR-PY-021
    title: Airflow's drivers for PostgreSQL are installed
    statements: [A02, G08]
    source: "Production image build arguments: AIRFLOW_EXTRAS"
    when:
      parameters: {INSTALL_POSTGRES_CLIENT: "true"}
      variant: regular
      any:
        - parameters: {AIRFLOW_EXTRAS: ""}
        - parameters: {AIRFLOW_EXTRAS: {matches: "(.*,)?postgres(,.*)?"}}
    expect:
      distributions: {any: [psycopg2-binary, psycopg2]}
    remedy: keep postgres in AIRFLOW_EXTRAS

  # Of 1.10 it was not promised; from 2.0 the build ends where pip check fails.
  - id: AIR-PY-030
    title: what is installed fits together
    statements: [A02, G09]
    source: "Production image build arguments: AIRFLOW_PRE_CACHED_PIP_PACKAGES"
    when:
      versions: "2.0.."
      parameters: {CONTINUE_ON_PIP_CHECK_FAILURE: {not: "true"}}
    expect:
      requirements: apache-airflow
      # pip 25.3 takes it for one of another platform: that build asks uv instead.
      except: [pagefind-bin]
    remedy: install what pip check names in the version that it names

  - id: AIR-PY-031
    title: versions are those of the constraints that are in the image
    statements: [C07, G07, H05]
    source: "Production image build arguments: AIRFLOW_CONSTRAINTS_REFERENCE"
    severity: warning
    # What is added on top, or upgraded, need not follow the constraints.
    when:
      versions: "2.9.."
      parameters:
        AIRFLOW_INSTALL_SOURCES: {oneOf: ["", apache-airflow]}
        ADDITIONAL_PYTHON_DEPS: ""
        UPGRADE_RANDOM_INDICATOR_STRING: ""
      none: [{lineage: extended}]
    expect:
      constraints: ${AIRFLOW_USER_HOME_DIR}/constraints.txt
      environmentOf: apache-airflow
      except: &packaging [pip, setuptools, uv, wheel]
    remedy: install with --constraint ${AIRFLOW_USER_HOME_DIR}/constraints.txt

  - id: AIR-PY-032
    title: versions are those of the given constraints
    statements: [C07, G07, H05, I04]
    source: "Production image build arguments: AIRFLOW_CONSTRAINTS_REFERENCE"
    when: {given: constraints}
    expect:
      constraints: given
      environmentOf: apache-airflow
      except: *packaging
    remedy: build with the constraints of the release

  # Which extras a build asked for is not written down in the image.
  - id: AIR-PY-033
    title: a regular image has what the extras of its line ask for
    statements: [A02, G08, I01]
    source: "Production image build arguments: AIRFLOW_EXTRAS"
    severity: warning
    when:
      variant: regular
      parameters: {AIRFLOW_EXTRAS: "", DEFAULT_EXTRAS: {not: ""}}
    expect:
      satisfied: "apache-airflow[${DEFAULT_EXTRAS}]"
      environmentOf: apache-airflow
      allowUnknownExtras: true
    remedy: build with the AIRFLOW_EXTRAS of the Dockerfile

  # Without a database client the build cuts its extra.
  - id: AIR-PY-034
    title: the image has what the extras ask for that it was built with
    statements: [G08]
    source: "Production image build arguments: AIRFLOW_EXTRAS"
    when:
      parameters: {AIRFLOW_EXTRAS: {not: ""}, INSTALL_MYSQL_CLIENT: "true", INSTALL_POSTGRES_CLIENT: "true"}
    expect:
      satisfied: "apache-airflow[${AIRFLOW_EXTRAS}]"
      environmentOf: apache-airflow
    remedy: "build with --build-arg AIRFLOW_EXTRAS=${AIRFLOW_EXTRAS}"

  - id: AIR-PY-035
    title: the image has what the additional extras ask for
    statements: [C09, G11, I05, I07]
    source: "Production image build arguments: ADDITIONAL_AIRFLOW_EXTRAS"
    when:
      parameters: {ADDITIONAL_AIRFLOW_EXTRAS: {not: ""}}
      none:
        - parameters: {INSTALL_MYSQL_CLIENT: "false", ADDITIONAL_AIRFLOW_EXTRAS: {contains: mysql}}
        - parameters: {INSTALL_POSTGRES_CLIENT: "false", ADDITIONAL_AIRFLOW_EXTRAS: {contains: postgres}}
    expect:
      satisfied: "apache-airflow[${ADDITIONAL_AIRFLOW_EXTRAS}]"
      environmentOf: apache-airflow
    remedy: "build with --build-arg ADDITIONAL_AIRFLOW_EXTRAS=${ADDITIONAL_AIRFLOW_EXTRAS}"

  - id: AIR-PY-036
    title: the additional Python packages are installed
    statements: [C10, G12, I06]
    source: "Production image build arguments: ADDITIONAL_PYTHON_DEPS"
    when: {parameters: {ADDITIONAL_PYTHON_DEPS: {not: ""}}}
    expect:
      satisfied: ${ADDITIONAL_PYTHON_DEPS}
      environmentOf: apache-airflow
    remedy: "build with --build-arg ADDITIONAL_PYTHON_DEPS=\"${ADDITIONAL_PYTHON_DEPS}\""

  - id: AIR-PY-037
    title: Airflow is of the version that was asked for
    statements: [C06, H04, I04]
    source: "Production image build arguments: AIRFLOW_INSTALL_VERSION"
    when: {parameters: {AIRFLOW_INSTALL_VERSION: {matches: "[=<>~!].*"}}}
    expect:
      satisfied: "apache-airflow${AIRFLOW_INSTALL_VERSION}"
      environmentOf: apache-airflow
    remedy: "build with --build-arg AIRFLOW_INSTALL_VERSION=${AIRFLOW_INSTALL_VERSION}"

  - id: AIR-PY-038
    title: every file of the Airflow package is there
    statements: [H02]
    source: "Production image build arguments: AIRFLOW_INSTALL_SOURCES"
    severity: warning
    # From 3.0 on the files are those of the core (AIR-PY-041); this distribution has none of its own.
    when: {versions: "2.3..2.11"}
    expect:
      record: apache-airflow
    remedy: install Airflow again and remove nothing of it

  - id: AIR-PY-039
    title: every file of the Airflow package is there, but for those of the web assets
    statements: [H02, H07]
    source: "Production image build arguments: AIRFLOW_INSTALL_SOURCES"
    severity: warning
    when: {versions: "..2.2"}
    # Older builds compile the assets where the package is installed, and remove what that takes.
    expect:
      record: apache-airflow
      except:
        - "/**/site-packages/airflow/www*/package.json"
        - "/**/site-packages/airflow/www*/yarn.lock"
        - "/**/site-packages/airflow/www*/.eslintrc"
        - "/**/site-packages/airflow/www*/compile_assets.sh"
        - "/**/site-packages/airflow/www*/webpack.config.js"
        - "/**/site-packages/airflow/www*/static/dist/**"
    remedy: install Airflow again and remove nothing of it

  - id: AIR-PY-040
    title: pip or uv has installed Airflow
    statements: [H02]
    source: "Production image build arguments: AIRFLOW_INSTALL_SOURCES"
    severity: warning
    expect:
      distributions: {every: [apache-airflow]}
      installer: {oneOf: [pip, uv]}
    remedy: install it with pip or uv

  - id: AIR-PY-041
    title: every file of the core of Airflow 3 is there
    statements: [H02]
    source: "Production image build arguments: AIRFLOW_INSTALL_SOURCES"
    severity: warning
    when: {versions: "3.."}
    expect:
      record: apache-airflow-core
    remedy: install Airflow again and remove nothing of it

"""#),
            ("run.yaml", #"""
group: run
title: How a container starts
checks:
  - id: AIR-RUN-001
    title: the entrypoint is dumb-init with /entrypoint
    statements: [F32, F33, J09]
    source: Using the production image
    expect:
      config: entrypoint
      equals: [/usr/bin/dumb-init, "--", /entrypoint]
    remedy: 'ENTRYPOINT ["/usr/bin/dumb-init", "--", "/entrypoint"]'

  - id: AIR-RUN-002
    title: dumb-init and /entrypoint can be run by every user of group 0
    statements: [F32, J03]
    source: Using the production image
    expect:
      - commands: {every: [/usr/bin/dumb-init, /entrypoint]}
      - {path: /usr/bin/dumb-init, type: file, chmod: "g+rx"}
      - {path: /entrypoint, type: file, chmod: "g+rx"}
    remedy: install dumb-init, and chmod a+rx /entrypoint

  - id: AIR-RUN-003
    title: the command without arguments is that of the release line
    statements: [F30]
    source: Using the production image
    severity: warning
    expect:
      config: command
      value: {"..2.1.0": ["--help"], default: []}
    # The document's sample prints a version when no command is given.
    documented:
      config: command
      equals: [version]
    remedy: 'CMD ["--help"] up to 2.1.0, CMD [] from 2.1.1'

  - id: AIR-RUN-004
    title: the working directory is ${AIRFLOW_HOME}
    statements: [F20]
    source: Using the production image
    expect:
      config: workingDirectory
      equals: ${AIRFLOW_HOME}
    remedy: WORKDIR ${AIRFLOW_HOME}

  - id: AIR-RUN-005
    title: port 8080 is exposed, and no other
    statements: [J06]
    source: Using the production image (OpenShift Guidelines)
    severity: warning
    expect:
      config: exposedPorts
      equals: [8080/tcp]
    remedy: EXPOSE 8080

  - id: AIR-RUN-006
    title: no privileged port is exposed
    statements: [J06]
    source: Using the production image (OpenShift Guidelines)
    expect:
      config: exposedPorts
      each:
        matches: "(102[4-9]|10[3-9][0-9]|1[1-9][0-9]{2}|[2-9][0-9]{3}|[0-9]{5})/(tcp|udp|sctp)"
    remedy: expose ports above 1023 only

  - id: AIR-RUN-007
    title: nothing that is added by extending the image is hidden by a volume or changed by a trigger
    statements: [B06, B20]
    source: Extending the image
    expect:
      - {config: volumes, absent: true}
      - {config: onBuild, absent: true}
    remedy: leave VOLUME and ONBUILD out

  - id: AIR-RUN-008
    title: what the entrypoint needs to wait for a database is there
    statements: [F08, F12]
    source: Using the production image
    when: {versions: "..2.11"}
    expect:
      commands: {every: [bash, nc]}
    remedy: install netcat

  - id: AIR-RUN-009
    title: signals go to the whole group of processes
    statements: [F33, J09]
    source: Using the production image
    severity: warning
    when: {versions: "2.1.4.."}
    expect:
      environment: DUMB_INIT_SETSID
      equals: "1"
    remedy: ENV DUMB_INIT_SETSID=1

  - id: AIR-RUN-010
    title: airflow cannot change the entrypoint
    statements: [F32]
    source: Using the production image
    severity: warning
    # In between the files belonged to airflow.
    when: {any: [{versions: "1.10.11..1.10.12"}, {versions: "2.2.4.."}]}
    expect:
      - {path: /entrypoint, owner: root, chmod: "go-w"}
      - {path: /clean-logs, owner: root, chmod: "go-w"}
    remedy: COPY the scripts as root

  - id: AIR-RUN-011
    title: the image sets no health check and no stop signal of its own
    source: Dockerfile of every release line
    severity: info
    expect:
      - {config: healthcheck, absent: true}
      - {config: stopSignal, absent: true}
    remedy: leave HEALTHCHECK and STOPSIGNAL to those who run the image

"""#),
            ("running.yaml", #"""
# What Airflow and the other programs of the image do when they are started. A start of Airflow takes seconds:
# observations that can share one do.
group: running
title: What runs in a container
scenarios:
  # The image ships no bytecode of Airflow: what the first container compiles, the others find.
  command-line:
    within: 300
    environment: {CONNECTION_CHECK_MAX_COUNT: "0", PYTHONPYCACHEPREFIX: /bytecode}
    containers:
      version:
        args: [bash, /probe/version]
        volumes: &bytecode {bytecode: /bytecode}
        files:
          - path: /probe/version
            content: |
              installed="$(python - <<'END'
              try:
                  from importlib.metadata import version
              except ImportError:
                  import pkg_resources
                  def version(name): return pkg_resources.get_distribution(name).version
              print(version("apache-airflow"))
              END
              )"
              said="$(airflow version)"
              code=$?
              echo "installed=<${installed}>"
              echo "${said}"
              if [[ -n ${installed} ]] && grep --quiet --fixed-strings --line-regexp "${installed}" <<<"${said}"; then
                  echo "agree=<yes>"
              fi
              exit "${code}"

      no-words:
        volumes: *bytecode
      unknown-word:
        args: [no-such-command]
        volumes: *bytecode
      root-information:
        user: "0"
        args: [airflow, info]
        volumes: *bytecode
    steps:
      - {start: version}
      - {wait: version, within: 200}
      - {start: no-words}
      - {start: unknown-word}
      - {start: root-information}
      - {wait: no-words}
      - {wait: unknown-word}
      - {wait: root-information}

  # A user that a platform has chosen, as OpenShift does, works with Airflow.
  stranger-at-work:
    within: 300
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    containers:
      main:
        # A number that an ordinary account of a machine has to give away too (subuid(5)).
        user: "54321:0"
        args: [python, /probe/work]
        environment: {PYTHONDONTWRITEBYTECODE: "true"}
        files:
          - path: /probe/work
            content: |
              import os
              import airflow
              print("airflow=<imported>")
              from airflow.configuration import conf
              print("dags=<%s>" % conf.get("core", "dags_folder"))
              from airflow import settings
              if getattr(settings, "engine", None) is None:
                  settings.configure_orm()
              connection = settings.engine.raw_connection()
              connection.cursor().execute("create table assay_probe (word text)")
              connection.commit()
              print("database=<%s>" % settings.engine.url.database)
              print("made=<%s>" % os.path.exists(os.path.join(os.environ["AIRFLOW_HOME"], "airflow.db")))

  programs:
    within: 300
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    containers:
      python:
        args: [python, -c, "import sys; print('Python <%d.%d>' % sys.version_info[:2])"]
      bash:
        args: [bash, --version]
      pandas:
        args: [python, -c, "import pandas; print('pandas=<imported>')"]
        environment: {PYTHONDONTWRITEBYTECODE: "true"}

  java:
    within: 300
    environment: {CONNECTION_CHECK_MAX_COUNT: "0"}
    containers:
      main:
        args: [bash, -c, "java -version"]

  # As RUN of a Dockerfile does it: without the entrypoint. No index and no repository is asked.
  packages:
    within: 300
    containers:
      apt:
        user: "0"
        entrypoint: [bash, -c, "set -e; apt-get --version; apt-get --print-uris update; apt-get check; dpkg --audit; echo all is well"]
      pip:
        entrypoint: [bash, /probe/add]
        environment: {PIP_NO_INDEX: "1", PIP_DISABLE_PIP_VERSION_CHECK: "1"}
        files:
          - path: /probe/add
            content: |
              set -e
              cd /tmp
              python - <<'END'
              import zipfile
              name = "assay_probe-1.0"
              with zipfile.ZipFile(name + "-py2.py3-none-any.whl", "w") as wheel:
                  wheel.writestr("assay_probe.py", "")
                  information = name + ".dist-info/"
                  wheel.writestr(information + "METADATA", "Metadata-Version: 2.1\nName: assay-probe\nVersion: 1.0\n")
                  wheel.writestr(
                      information + "WHEEL",
                      "Wheel-Version: 1.0\nGenerator: probe\nRoot-Is-Purelib: true\nTag: py2-none-any\nTag: py3-none-any\n")
                  wheel.writestr(information + "RECORD", "")
              END
              # Up to 2.8 the document's way; a virtual environment, from 2.9 on, knows no --user.
              if [[ -n ${VIRTUAL_ENV-} ]]; then options=(); else options=(--user); fi
              pip install "${options[@]}" --no-cache-dir ./assay_probe-1.0-py2.py3-none-any.whl
              python -c 'import assay_probe; print("added=<%s>" % assay_probe.__file__)'

  # One process for all of them; the modules are those of Airflow's own test of the image.
  imports:
    within: 300
    environment: {CONNECTION_CHECK_MAX_COUNT: "0", PYTHONDONTWRITEBYTECODE: "true"}
    containers:
      main:
        args: [python, /probe/imports]
        files:
          - path: /probe/imports
            content: |
              import importlib
              GROUPS = {
                  "amazon": "boto3 botocore watchtower",
                  "async": "gevent eventlet greenlet",
                  "azure": "azure.batch azure.cosmos azure.datalake.store azure.identity azure.keyvault.secrets"
                  " azure.kusto.data azure.mgmt.containerinstance azure.mgmt.datalake.store azure.mgmt.resource"
                  " azure.storage",
                  "celery": "celery flower vine",
                  "cncf.kubernetes": "kubernetes cryptography",
                  "docker": "docker",
                  "elasticsearch": "elasticsearch",
                  "google": "OpenSSL googleapiclient google.auth google_auth_httplib2 google.cloud.automl"
                  " google.cloud.bigquery_datatransfer google.cloud.bigtable google.cloud.container"
                  " google.cloud.datacatalog google.cloud.dataproc google.cloud.dlp google.cloud.kms"
                  " google.cloud.language google.cloud.logging google.cloud.memcache google.cloud.monitoring"
                  " google.cloud.oslogin google.cloud.pubsub google.cloud.redis google.cloud.secretmanager"
                  " google.cloud.spanner google.cloud.speech google.cloud.storage google.cloud.tasks"
                  " google.cloud.texttospeech google.cloud.translate google.cloud.videointelligence"
                  " google.cloud.vision",
                  "grpc": "grpc google.auth google_auth_httplib2",
                  "hashicorp": "hvac",
                  "ldap": "ldap",
                  "postgres": "psycopg2",
                  "pyodbc": "pyodbc",
                  "redis": "redis",
                  "sendgrid": "sendgrid",
                  "ssh": "paramiko sshtunnel",
                  "slack": "slack_sdk",
                  "statsd": "statsd",
              }
              for group in sorted(GROUPS):
                  problems = []
                  for name in GROUPS[group].split():
                      try:
                          importlib.import_module(name)
                      except BaseException as error:
                          problems.append("%s: %r" % (name, error))
                  print("%s=<%s>" % (group, "imported" if not problems else "; ".join(problems)[:1000]))

checks:
  - id: AIR-RUNS-001
    title: airflow version prints the version that is installed
    statements: [F29, G04]
    source: Using the production image
    run: command-line
    expect:
      - {exit: version, equals: 0}
      - {stdout: version, contains: "agree=<yes>"}
    remedy: install one Airflow, and put its command on the PATH

  - id: AIR-RUNS-002
    title: without a word Airflow says how it is used
    statements: [F30]
    source: Using the production image
    run: command-line
    expect:
      - {exit: no-words, value: {"..2.1.0": "0", default: "2"}}
      - {stdout: no-words, matches: "(?si).*usage: airflow.*"}
    # The document's sample prints a version.
    documented:
      - {exit: no-words, equals: 0}
      - {stdout: no-words, matches: "(?s)(.*\n)?[0-9]+[.][0-9]+[.][0-9]+[^ \n]*"}
    remedy: 'CMD ["--help"] up to 2.1.0, CMD [] from 2.1.1'

  - id: AIR-RUNS-003
    title: Airflow refuses a word that it does not know
    statements: [F29]
    source: Using the production image
    run: command-line
    expect:
      - {exit: unknown-word, matches: "[1-9][0-9]*"}
      - {stderr: unknown-word, contains: no-such-command}
    remedy: exec airflow "$@"

  - id: AIR-RUNS-004
    title: an unknown user of group 0 can import Airflow
    statements: [J08]
    source: Using the production image (OpenShift Guidelines)
    run: stranger-at-work
    expect: {stdout: main, contains: "airflow=<imported>"}
    remedy: give group 0 the rights of the owner

  - id: AIR-RUNS-005
    title: DAGs are looked for in ${AIRFLOW_HOME}/dags
    statements: [B21, F18]
    source: Using the production image
    run: stranger-at-work
    expect: {stdout: main, contains: "dags=<${AIRFLOW_HOME}/dags>"}
    remedy: leave core.dags_folder as it is

  - id: AIR-RUNS-006
    title: the SQLite database is made in ${AIRFLOW_HOME}
    statements: [G15]
    source: Production image build arguments
    run: stranger-at-work
    expect:
      - {stdout: main, contains: "database=<${AIRFLOW_HOME}/airflow.db>"}
      - {stdout: main, contains: "made=<True>"}
    remedy: leave the connection as it is, and AIRFLOW_HOME writable for group 0

  - id: AIR-RUNS-007
    title: root can run airflow info
    source: Airflow's own tests of the image
    when: {versions: "2.0.2.."}
    run: command-line
    expect: {exit: root-information, equals: 0}
    remedy: let the entrypoint set PYTHONPATH for root

  - id: AIR-RUNS-008
    title: Python is of the line ${PYTHON_MAJOR_MINOR_VERSION}
    statements: [G02, C04]
    source: Production image build arguments
    run: programs
    expect: {stdout: python, contains: "Python <${PYTHON_MAJOR_MINOR_VERSION}>"}
    remedy: base the image on the Python that PYTHON_MAJOR_MINOR_VERSION names

  - id: AIR-RUNS-009
    title: bash is GNU's
    statements: [F21]
    source: Airflow's own tests of the image
    run: programs
    expect:
      - {exit: bash, equals: 0}
      - {stdout: bash, contains: "GNU bash,"}
    remedy: install bash

  - id: AIR-RUNS-010
    title: pandas can be imported where it is installed
    statements: [C10]
    source: Customising the image
    when: {distributions: pandas}
    run: programs
    expect:
      - {exit: pandas, equals: 0}
      - {stdout: pandas, contains: "pandas=<imported>"}
    remedy: install pandas for the Python of the image

  - id: AIR-RUNS-011
    title: Java runs where a Java runtime is installed
    statements: [C12]
    source: Customising the image
    when: {packages: default-jre-headless}
    run: java
    expect:
      - {exit: main, equals: 0}
      - {stderr: main, contains: version}
    remedy: install default-jre-headless with what it depends on

  - id: AIR-RUNS-012
    title: root can add Debian packages
    statements: [B07]
    source: Extending the image
    run: packages
    expect:
      - {exit: apt, equals: 0}
      - {stdout: apt, endsWith: all is well}
    remedy: leave apt, its sources and the state of its packages in order

  - id: AIR-RUNS-013
    title: the user of the image adds Python packages, below ${AIRFLOW_USER_HOME_DIR}/.local
    statements: [B08, B14]
    source: Extending the image
    run: packages
    expect:
      - {exit: pip, equals: 0}
      - {stdout: pip, contains: "added=<${AIRFLOW_USER_HOME_DIR}/.local/"}
    remedy: leave pip on the PATH of airflow

  - id: AIR-RUNS-014
    title: what the extras of a regular image bring can be imported
    statements: [G08]
    source: Airflow's own tests of the image
    severity: warning
    when: {versions: "2.8..", variant: regular}
    run: imports
    expect:
      - {stdout: main, contains: "amazon=<imported>"}
      - {stdout: main, contains: "async=<imported>"}
      - {stdout: main, contains: "azure=<imported>"}
      - {stdout: main, contains: "celery=<imported>"}
      - {stdout: main, contains: "cncf.kubernetes=<imported>"}
      - {stdout: main, contains: "docker=<imported>"}
      - {stdout: main, contains: "elasticsearch=<imported>"}
      - {stdout: main, contains: "google=<imported>"}
      - {stdout: main, contains: "grpc=<imported>"}
      - {stdout: main, contains: "hashicorp=<imported>"}
      - {stdout: main, contains: "ldap=<imported>"}
      - {stdout: main, contains: "pyodbc=<imported>"}
      - {stdout: main, contains: "redis=<imported>"}
      - {stdout: main, contains: "sendgrid=<imported>"}
      - {stdout: main, contains: "ssh=<imported>"}
      - {stdout: main, contains: "slack=<imported>"}
      - {stdout: main, contains: "statsd=<imported>"}
    remedy: install the extras with all that they depend on

  - id: AIR-RUNS-015
    title: the driver of PostgreSQL can be imported
    statements: [G08]
    source: Airflow's own tests of the image
    severity: warning
    when: {versions: "2.8..", variant: regular, parameters: {INSTALL_POSTGRES_CLIENT: "true"}}
    run: imports
    expect: {stdout: main, contains: "postgres=<imported>"}
    remedy: install the extra postgres, and libpq5

"""#),
            ("secrets.yaml", #"""
# What anybody who has the image can read. Values are never shown. Files are those whose names say that they may hold
# secrets; what a Debian package or a Python distribution brings (keys for its tests) is nobody's secret.
group: secrets
title: Secrets
checks:
  - id: AIR-SEC-001
    title: no secret is in the environment or in a label
    statements: [D02]
    source: External sources for dependencies
    expect:
      secrets: {none: ["*"]}
      place: {oneOf: [environment, label]}
    remedy: give secrets to the container when it starts

  - id: AIR-SEC-002
    title: no secret is in the history
    statements: [D02, E05]
    source: External sources for dependencies
    expect:
      secrets: {none: ["*"]}
      place: history
    remedy: use RUN --mount=type=secret, not build arguments or options

  - id: AIR-SEC-003
    title: no secret is in a file, in any layer
    statements: [D02, E05, K05, K06]
    source: External sources for dependencies
    expect:
      secrets: {none: ["*"]}
      place: file
      package: {absent: true}
    remedy: use RUN --mount=type=secret; a file that a later step removes is still in its layer

"""#),
            ("sources.yaml", #"""
group: sources
title: Where apt takes packages from
checks:
  - id: AIR-SRC-001
    title: apt takes packages from Debian, and from where the Dockerfile of the line does
    statements: [D01]
    source: External sources for dependencies
    severity: warning
    when: &own-sources
      # Others can be added while building, and by extending.
      parameters: {ADDITIONAL_RUNTIME_APT_COMMAND: "", RUNTIME_APT_COMMAND: {oneOf: ["", echo]}}
      none: [{lineage: extended}]
    expect:
      aptSources: {none: ["**"]}
      host:
        "..2.1": {not: {matches: "(.*\\.)?debian\\.org|repo\\.mysql\\.com"}}
        "2.2..2.7": {not: {matches: "(.*\\.)?debian\\.org|repo\\.mysql\\.com|apt\\.postgresql\\.org|packages\\.microsoft\\.com"}}
        default: {not: {matches: "(.*\\.)?debian\\.org|.*\\.mariadb\\.(org|com)|apt\\.postgresql\\.org|packages\\.microsoft\\.com|download\\.docker\\.com"}}
    documented:
      aptSources: {none: ["**"]}
      host: {not: {matches: "(.*\\.)?debian\\.org"}}
    remedy: remove the source, or mirror its packages

  # The key of Oracle's packages expires while images are in use; up to 2.7 their source stays behind.
  - id: AIR-SRC-002
    title: a valid key verifies every source of apt
    statements: [B07, D02, E05]
    source: Extending the image
    expect:
      aptSources: {none: ["**"], except: ["http*://repo.mysql.com/**"]}
      key: {oneOf: [missing, expired, revoked]}
    remedy: install the current key where signed-by of the source says

  - id: AIR-SRC-003
    title: the source of Oracle's MySQL packages does not stop apt
    statements: [B07, D01]
    source: Extending the image
    severity: warning
    when: {aptSources: {any: ["http*://repo.mysql.com/**"]}}
    expect:
      aptSources: {none: ["http*://repo.mysql.com/**"]}
      key: {oneOf: [missing, expired, revoked]}
    remedy: rm /etc/apt/sources.list.d/mysql.list before apt-get update

  - id: AIR-SRC-004
    title: apt verifies every source
    statements: [B07, D02]
    source: External sources for dependencies
    severity: warning
    expect:
      aptSources: {none: ["**"]}
      key: unchecked
    remedy: sign the repository, and name its key with signed-by

  - id: AIR-SRC-005
    title: no source of apt has a password in it
    statements: [D02, E05]
    source: External sources for dependencies
    expect:
      aptSources: {none: ["**"]}
      credentials: present
    remedy: mount /etc/apt/auth.conf as a secret of the step

  - id: AIR-SRC-006
    title: apt has a source of packages
    statements: [B07]
    source: Extending the image
    severity: warning
    expect:
      aptSources: {any: ["**"]}
    remedy: keep /etc/apt/sources.list.d/debian.sources

"""#),
            ("statements.yaml", #"""
# What the document says, statement by statement, in our words. `lines` are those of the document.
#
# shown: image (a saved image shows it), probe (it takes a container run), build (only seen while an image is built, or
# by comparing two builds), none (about documents, tools or a process). `reason` says why neither an image nor a
# container shows a statement; `drift` where images are known to differ from the document, with both sides.
statements:
  # The convenience image
  - {id: A01, lines: 33, shown: image, text: the image is published as apache/airflow, note: a name proves nothing; one that contradicts the content misleads}
  - {id: A02, lines: [34, 38], shown: image, text: few extras and dependencies of Python are installed}
  - id: A03
    lines: 37
    shown: image
    text: the image is optimised for its size
    note: no limit is given; what counts is that nothing is left that only the build needed
  - {id: A04, lines: 38, shown: image, text: few Debian packages are installed}

  # Extending the image
  - {id: B01, lines: 50, shown: image, text: build-essential is not in the image}
  - {id: B02, lines: 50, shown: image, text: gcc is not in the image}
  - {id: B03, lines: 50, shown: image, text: g++ is not in the image}
  - {id: B04, lines: 50, shown: image, text: make is not in the image}
  - {id: B05, lines: 50, shown: image, text: cmake is not in the image}
  - {id: B06, lines: 53, shown: image, text: an image is extended with FROM and layers on top}
  - id: B07
    lines: 54
    shown: [image, probe]
    text: Debian packages can be added with apt
    note: up to 2.7 a source of MySQL packages is left behind, and updating fails once its key has expired
  - {id: B08, lines: 54, shown: probe, text: Python packages can be added with pip}
  - {id: B09, lines: 59, shown: image, text: the user of the image is airflow}
  - {id: B10, lines: 60, shown: image, text: adding tools as root takes a USER instruction}
  - {id: B11, lines: 68-74, shown: image, text: the package of the apt example is installed afterwards}
  - {id: B12, lines: 72-73, shown: image, text: the apt example cleans up behind itself}
  - {id: B13, lines: 75, shown: image, text: the apt example ends as airflow}
  - id: B14
    lines: 78
    shown: image
    text: Python packages are in the user library of airflow
    note: a virtual environment at the same place from 2.9.0
  - id: B15
    lines: 79
    shown: image
    text: more Python packages go to the user library, with --user
    note: from 2.9.0 the option fails and is not needed
  - {id: B16, lines: 79, shown: image, text: "pip is run without switching to airflow, which the image already is"}
  - {id: B17, lines: [80, 85], shown: image, text: no cache of pip is kept}
  - id: B18
    lines: 88-91
    shown: none
    text: what needs a compiler is better added by customising
    reason: it is advice on which way to choose
  - id: B19
    lines: [91, 95-104]
    shown: image
    text: build-essential can be added, which makes the image much bigger
    note: how much is not said; the size that was added is reported
  - {id: B20, lines: 107, shown: image, text: DAGs can be put into the image with COPY}
  - {id: B21, lines: 108, shown: [image, probe], text: the folder for DAGs is /opt/airflow/dags}

  # Customising the image
  - {id: C01, lines: 113-118, shown: image, text: a customised image has what was compiled and nothing that compiled it}
  - id: C02
    lines: 118
    shown: none
    text: customising needs the sources of Airflow
    reason: the image does not tell what was beside the Dockerfile
    note: from 2.3 the Dockerfile alone is enough
  - id: C03
    lines: 121-125
    shown: none
    text: breeze or docker build can do it
    reason: an image does not tell which tool called the builder
  - {id: C04, lines: 128-129, shown: [image, probe], text: the example has Python 3.7}
  - {id: C05, lines: 134, shown: image, text: the example is based on python:3.7-slim-buster}
  - id: C06
    lines: 136-137
    shown: image
    text: the example installs Airflow 1.10.12 from PyPI
    drift:
      document: the sentence before the example speaks of 1.10.10
      images: the command installs 1.10.12
      sources: ["lines 128 and 137"]
  - {id: C07, lines: 138, shown: image, text: the example is constrained by constraints-1-10, note: the branch moves; a copy has to be given}
  - {id: C08, lines: 139-140, shown: image, text: the example copies no sources}
  - {id: C09, lines: 141, shown: image, text: the example has the extra jdbc}
  - {id: C10, lines: 142, shown: [image, probe], text: the example has pandas}
  - {id: C11, lines: 143, shown: image, text: "gcc and g++, which the example builds with, are not in the image"}
  - {id: C12, lines: 144, shown: [image, probe], text: the example has default-jre-headless}
  - {id: C13, lines: 145, shown: image, text: the example names the image my-image}
  - id: C14
    lines: 141-145
    shown: build
    text: the command as printed builds the image
    reason: the shell sees the command, the image does not
    drift:
      document: lines 141 to 144 lack the backslash at their end
      images: are built by the command with the backslashes
      sources: ["lines 141-145"]
  - id: C15
    lines: 148-155
    shown: build
    text: breeze builds the same image
    reason: it takes two builds to compare
  - {id: C16, lines: 157-162, shown: image, text: an image can be customised and then extended}

  # Sources of dependencies
  - id: D01
    lines: 169
    shown: image
    text: packages come from the standard sources, Debian and PyPI
    drift:
      document: the sources are those of Debian
      images: "packages of other vendors too: Oracle's or MariaDB's MySQL client, later those of PostgreSQL, Microsoft and Docker"
      sources: [Dockerfile of 1.10.12, Dockerfile of 2.3, Dockerfile of 2.10.2]
  - {id: D02, lines: 175-177, shown: image, text: an extended image may have other sources}
  - id: D03
    lines: 179-181
    shown: none
    text: no build argument changes the sources yet
    reason: what cannot be said to a build leaves no trace
    note: DEV_APT_COMMAND and RUNTIME_APT_COMMAND came with 1.10.13
  - id: D04
    lines: 181
    shown: none
    text: the Dockerfile may be edited
    reason: it is advice on a process

  # Comparing both ways
  - {id: E01, lines: 191, shown: image, text: "a customised image is optimised, an extended one is not"}
  - {id: E02, lines: 193, shown: image, text: only a customised image is built by Airflow's Dockerfile}
  - id: E03
    lines: 195
    shown: none
    text: only customising needs the sources of Airflow
    reason: as C02
  - id: E04
    lines: 197
    shown: none
    text: only customising can be done with breeze
    reason: as C03
  - {id: E05, lines: "199, 202-205", shown: image, text: extending can use other sources of packages, note: customising can as well from 1.10.13}

  # Using the image
  - {id: F01, lines: 213-214, shown: probe, text: an unknown user of group 0 gets a line in /etc/passwd}
  - {id: F02, lines: 214, shown: probe, text: USER_NAME names that user}
  - {id: F03, lines: 214, shown: probe, text: without USER_NAME it has a name as well}
  - {id: F04, lines: 213, shown: image, text: group 0 may write /etc/passwd}
  - {id: F05, lines: 213, shown: probe, text: the line is added for group 0 only, note: from 2.0.2 another group ends the container}
  - {id: F06, lines: 213, shown: probe, text: for airflow itself no line is added}
  - {id: F07, lines: 215-216, shown: [image, probe], text: the guidelines of OpenShift are followed, note: group 0 may write the home directory from 2.2.4 on}
  - {id: F08, lines: 218-219, shown: probe, text: the start waits until a PostgreSQL or MySQL database can be reached}
  - id: F09
    lines: 219
    shown: probe
    text: how long the start waits is not limited
    drift:
      document: the script waits until the database is reachable
      images: give up after 20 tries, 3 seconds apart
      sources: [entrypoint of 1.10.12, entrypoint of 2.0.2, entrypoint of 2.10.2]
  - {id: F10, lines: 218, shown: probe, text: for another kind of database it does not wait}
  - id: F11
    lines: 221-222
    shown: probe
    text: without a connection, or with SQLite, the database is reset
    drift:
      document: db reset is executed
      images: reset nothing and initialise nothing
      sources: [entrypoint of 1.10.12, entrypoint of 2.10.2, apache/airflow#8621]
  - id: F12
    lines: 224-225
    shown: probe
    text: the scheduler waits for the broker
    drift:
      document: the script waits until the broker of the URL is reachable
      images: "find no host in redis://host:6379/0 and wait for localhost (up to 2.1.3)"
      sources: [entrypoint of 1.10.12, apache/airflow#14104]
  - {id: F13, lines: 224, shown: probe, text: the worker waits for the broker, note: as celery from 2.1.3}
  - {id: F14, lines: 224, shown: probe, text: flower waits for the broker, note: as celery from 2.1.3}
  - {id: F15, lines: 224, shown: probe, text: other commands do not wait for the broker}
  - {id: F16, lines: 224, shown: probe, text: without a broker nothing waits for one}
  - id: F17
    lines: 227
    shown: image
    text: AIRFLOW_HOME is /opt/airflow
    drift:
      document: the value ends with a slash
      images: have it without
      sources: [Dockerfile of every release line]
  - {id: F18, lines: 228, shown: image, text: DAGs are in /opt/airflow/dags}
  - {id: F19, lines: 228, shown: image, text: logs are in /opt/airflow/logs}
  - {id: F20, lines: 230, shown: image, text: the working directory is /opt/airflow}
  - {id: F21, lines: 232, shown: probe, text: bash as first argument gives a shell}
  - {id: F22, lines: 233, shown: probe, text: more arguments of bash are run}
  - {id: F23, lines: 237, shown: [image, probe], text: the working directory holds dags and logs and nothing else, note: from 2.0.2 the check of the database makes airflow.cfg and airflow.db at run time}
  - {id: F24, lines: 239-242, shown: image, text: "they belong to airflow, and to group root"}
  - id: F25
    lines: [239, 241, 242]
    shown: image
    text: they have mode 0755
    drift:
      document: the listing shows drwxr-xr-x
      images: have 0775 from 1.10.11 on
      sources: [Dockerfile of 1.10.11 and later]
  - {id: F26, lines: 240, shown: image, text: "/opt belongs to root, mode 0755"}
  - {id: F27, lines: 245, shown: probe, text: python as first argument gives a Python shell}
  - {id: F28, lines: "245, 250-251", shown: probe, text: more arguments of python are run}
  - {id: F29, lines: 253, shown: probe, text: any other argument goes to airflow}
  - id: F30
    lines: 257-258
    shown: [image, probe]
    text: without an argument the version is printed
    drift:
      document: the sample without arguments prints 2.0.0.dev0
      images: print the help up to 2.1.0, and the usage with exit code 2 from 2.1.1
      sources: [Dockerfile of 1.10.12, apache/airflow#16258]
  - id: F31
    lines: [237, 250, 257]
    shown: none
    text: tags have the form master-pythonX.Y
    reason: the tags of the development builds are not those of a release
  - {id: F32, lines: 211, shown: image, text: the image has an entrypoint}
  - {id: F33, lines: 211, shown: probe, text: signals reach the process, note: the document implies it}

  # Build arguments
  - {id: G01, lines: 268, shown: image, text: PYTHON_BASE_IMAGE is the base image, note: BASE_IMAGE from 3.1}
  - {id: G02, lines: 270, shown: [image, probe], text: PYTHON_MAJOR_MINOR_VERSION is the line of Python, note: AIRFLOW_PYTHON_VERSION from 3.1}
  - {id: G03, lines: 271, shown: image, text: both agree, note: apache/airflow#17102 was an image where they did not}
  - {id: G04, lines: 273, shown: image, text: AIRFLOW_VERSION is the version of Airflow, note: "up to 1.10 it decides nothing; what is installed is said by AIRFLOW_INSTALL_VERSION"}
  - id: G05
    lines: 275
    shown: build
    text: AIRFLOW_REPO is where packages are pre-installed from
    reason: the build stage alone uses it; nothing of it may be left
  - id: G06
    lines: 278
    shown: build
    text: AIRFLOW_BRANCH is the branch that they are pre-installed from
    reason: the build stage alone uses it; nothing of it may be left
  - {id: G07, lines: 281-287, shown: image, text: AIRFLOW_CONSTRAINTS_REFERENCE names the versions, note: from 2.9.0 a copy is in the image}
  - {id: G08, lines: 289, shown: image, text: AIRFLOW_EXTRAS are the extras that are installed}
  - {id: G09, lines: 292, shown: [image, build], text: AIRFLOW_PRE_CACHED_PIP_PACKAGES pre-installs packages, note: what may be left of it are versions that do not fit}
  - id: G10
    lines: 296-298
    shown: build
    text: pre-installing can be switched off
    reason: what a build asks the network for is gone with it
  - {id: G11, lines: 300, shown: image, text: ADDITIONAL_AIRFLOW_EXTRAS are installed too}
  - {id: G12, lines: 303, shown: image, text: ADDITIONAL_PYTHON_DEPS are installed too}
  - {id: G13, lines: 306, shown: image, text: ADDITIONAL_DEV_DEPS are there for the build only}
  - {id: G14, lines: 309, shown: image, text: ADDITIONAL_RUNTIME_DEPS are installed}
  - {id: G15, lines: 312, shown: [image, probe], text: AIRFLOW_HOME holds logs and the SQLite database}
  - {id: G16, lines: 315, shown: image, text: AIRFLOW_UID is the UID of airflow}
  - {id: G17, lines: 317, shown: image, text: AIRFLOW_GID is the GID of the group airflow, note: "primary up to 2.0.1, secondary in 2.0.2 to 2.1, gone from 2.2.0"}
  - {id: G18, lines: 318-320, shown: image, text: files of airflow belong to group root}
  - {id: G19, lines: 322, shown: image, text: AIRFLOW_USER_HOME_DIR is the home directory of airflow}
  - id: G20
    lines: 324-327
    shown: build
    text: CASS_DRIVER_BUILD_CONCURRENCY is how many processors build the Cassandra driver
    reason: the build stage alone uses it; nothing of it may be left
  - {id: G21, lines: 329, shown: image, text: INSTALL_MYSQL_CLIENT installs the MySQL client}
  - id: G22
    lines: 330-331
    shown: image
    text: without the client the extra mysql is removed
    drift:
      document: the mysql extra is removed from extras if the client is not installed
      images: "keep it when it stands last in the list, and up to 2.9 always"
      sources: [Dockerfile of 1.10.12, apache/airflow#39610]

  # How Airflow is installed
  - {id: H01, lines: [337, 346], shown: image, text: "AIRFLOW_INSTALL_SOURCES may be \".\", local sources, the default", note: apache-airflow is the default from 2.0}
  - {id: H02, lines: [338, 348], shown: image, text: "it may be apache-airflow, as for the published images"}
  - {id: H03, lines: [339, 350], shown: image, text: it may be a URL on GitHub, note: pip writes down the place from 20.1 on}
  - {id: H04, lines: 354, shown: image, text: AIRFLOW_INSTALL_VERSION restricts the version, note: part of AIRFLOW_VERSION from 2.0}
  - {id: H05, lines: 359, shown: image, text: constraints may be a branch or the tag of a release}
  - {id: H06, lines: 368, shown: image, text: SLUGIFY_USES_TEXT_UNIDECODE is yes for 1.10.1 and 1.10.2}
  - id: H07
    lines: 372
    shown: image
    text: AIRFLOW_WWW is the folder of the web assets
    drift:
      document: the argument says www or www_rbac
      images: look which of the folders is there, whatever the argument says
      sources: [Dockerfile of 1.10.12]
  - {id: H08, lines: [377, 384], shown: [image, build], text: AIRFLOW_SOURCES_FROM and AIRFLOW_SOURCES_TO avoid a copy of the sources}

  # Build examples
  - {id: I01, lines: 393-398, shown: image, text: "docker build . gives Python 3.6, the default extras, and Airflow from local sources"}
  - id: I02
    lines: 400-411
    shown: image
    text: the second example installs 1.10.12 from an archive on GitHub
    drift:
      document: the sentence before it speaks of the branch constraints-1-10-12
      images: are constrained by constraints-1-10, as the command says
      sources: ["lines 400 and 408"]
  - id: I03
    lines: 409
    shown: build
    text: its AIRFLOW_BRANCH is v1-10-test
    reason: as G06
  - {id: I04, lines: 414-427, shown: image, text: the third example installs 1.10.12 from PyPI by the constraints of its tag}
  - {id: I05, lines: 430-444, shown: image, text: the fourth example has the extras mssql and hdfs}
  - {id: I06, lines: 445, shown: image, text: it has sshtunnel and oauth2client}
  - {id: I07, lines: 447-462, shown: image, text: "the fifth example has jdbc and default-jre-headless, and neither gcc nor g++"}
  - id: I08
    lines: [443, 460-461]
    shown: build
    text: the commands as printed build the images
    reason: as C14
    drift:
      document: lines 443, 460 and 461 lack the backslash at their end
      images: are built by the commands with the backslashes
      sources: ["lines 443-445 and 460-462"]
  - {id: I09, lines: 400-462, shown: image, text: no example gives AIRFLOW_VERSION, note: the variable then says 2.0.0.dev0 while 1.10.12 is installed}

  # The guidelines of OpenShift that F07 speaks of
  - {id: J01, lines: 216, shown: image, text: what has to be written belongs to group 0}
  - {id: J02, lines: 216, shown: image, text: the group has the rights of the owner}
  - {id: J03, lines: 216, shown: image, text: what the owner may run the group may run}
  - {id: J04, lines: 216, shown: probe, text: "a user without a line in /etc/passwd can be used, or gets one"}
  - {id: J05, lines: 216, shown: image, text: the user of the image is a number}
  - {id: J06, lines: 216, shown: image, text: no privileged port is exposed}
  - {id: J07, lines: 216, shown: image, text: nobody else may write}
  - {id: J08, lines: 216, shown: probe, text: any user of group 0 can run Airflow}
  - {id: J09, lines: 216, shown: probe, text: one process receives the signals and reaps the others}

  # Kerberos
  - {id: K01, lines: 477, shown: probe, text: airflow kerberos is a command}
  - {id: K02, lines: 477-478, shown: [image, probe], text: it obtains a token with a keytab}
  - {id: K03, lines: 478-479, shown: probe, text: it renews the token before it expires}
  - {id: K04, lines: 481-482, shown: probe, text: only a keytab for the principal will do}
  - {id: K05, lines: 484-486, shown: image, text: workers have no keytab}
  - {id: K06, lines: 485, shown: image, text: workers read the temporary token only}
  - {id: K07, lines: 486-489, shown: probe, text: both commands run in containers of one image}
  - {id: K08, lines: 489-490, shown: probe, text: the token goes over a shared volume}
  - id: K09
    lines: 491-494
    shown: none
    text: Kubernetes can run the refresher as a side-car
    reason: the chart does that, not the image
  - id: K10
    lines: 496
    shown: none
    text: the chart of the sources does so
    reason: the chart does that, not the image

"""#),
            ("suite.yaml", #"""
# The production image as the document describes it. README.md says how to read and write these files.
suite: airflow
title: Apache Airflow production image
document: "Production Deployment (Airflow 1.10.12 / 2.0.0.dev0)"

# What is installed decides by which release an image is judged, not its tag.
release:
  distribution: [apache-airflow, apache-airflow-core]
  parameter: AIRFLOW_VERSION
  repository: apache/airflow

# The Dockerfile of every line ends with this step: a layer above it was added by extending the image.
lineage:
  lastInstruction: ENTRYPOINT
  containing: /entrypoint
  customisedBy:
    - AIRFLOW_EXTRAS
    - ADDITIONAL_AIRFLOW_EXTRAS
    - ADDITIONAL_PYTHON_DEPS
    - ADDITIONAL_RUNTIME_DEPS
    - ADDITIONAL_RUNTIME_APT_COMMAND
    - INSTALL_MYSQL_CLIENT
    - INSTALL_MSSQL_CLIENT
    - INSTALL_POSTGRES_CLIENT
    - AIRFLOW_HOME
    - AIRFLOW_UID
    - AIRFLOW_USER_HOME_DIR

# The build arguments of the document, then those that came later; `aliases` are names that a later or earlier
# release has for the same. `environment` and `label` name what repeats the value in the image.
parameters:
  PYTHON_BASE_IMAGE:
    title: base image
    default: "python:3.6-slim-buster"
    environment: PYTHON_BASE_IMAGE
  PYTHON_MAJOR_MINOR_VERSION:
    title: line of Python, which should match the base image
    type: version
    aliases: [AIRFLOW_PYTHON_VERSION]
    # The documented 3.6 is that of one release; every image names its own.
    environment: [AIRFLOW_PYTHON_VERSION, PYTHON_VERSION]
    label: org.apache.airflow.python.version
    matching: "([0-9]+\\.[0-9]+).*"
  AIRFLOW_VERSION:
    title: version of Airflow
    default: "2.0.0.dev0"
    type: version
    environment: AIRFLOW_VERSION
    label: org.apache.airflow.version
  AIRFLOW_REPO:
    title: repository from which dependencies are pre-installed
    default: apache/airflow
  AIRFLOW_BRANCH:
    title: branch from which dependencies are pre-installed
    default: master
  AIRFLOW_CONSTRAINTS_REFERENCE:
    title: branch or tag of the constraints
    default: constraints-master
  AIRFLOW_EXTRAS:
    title: extras to install; empty means those of the Dockerfile
    default: ""
  AIRFLOW_PRE_CACHED_PIP_PACKAGES:
    title: whether packages are pre-cached from GitHub
    default: "true"
    type: boolean
  ADDITIONAL_AIRFLOW_EXTRAS:
    title: extras beside the default ones
    default: ""
  ADDITIONAL_PYTHON_DEPS:
    title: Python packages beside those of the extras
    default: ""
  ADDITIONAL_DEV_DEPS:
    title: Debian packages for building only
    default: ""
    aliases: [ADDITIONAL_DEV_APT_DEPS]
  ADDITIONAL_RUNTIME_DEPS:
    title: Debian packages for running
    default: ""
    aliases: [ADDITIONAL_RUNTIME_APT_DEPS]
    environment: [ADDITIONAL_RUNTIME_DEPS, ADDITIONAL_RUNTIME_APT_DEPS]
  AIRFLOW_HOME:
    title: directory of Airflow's logs and database
    default: /opt/airflow
    type: path
    environment: AIRFLOW_HOME
  AIRFLOW_UID:
    title: UID of the airflow user
    default: "50000"
    type: integer
    environment: AIRFLOW_UID
    label: org.apache.airflow.uid
  AIRFLOW_GID:
    title: GID of the airflow group
    default: "50000"
    type: integer
    environment: AIRFLOW_GID
    label: org.apache.airflow.gid
  AIRFLOW_USER_HOME_DIR:
    title: home directory of the airflow user
    default: /home/airflow
    type: path
    environment: AIRFLOW_USER_HOME_DIR
  CASS_DRIVER_BUILD_CONCURRENCY:
    title: processors used to build the Cassandra driver
    default: "8"
    type: integer
  INSTALL_MYSQL_CLIENT:
    title: whether the MySQL client is installed
    default: "true"
    type: boolean
    environment: INSTALL_MYSQL_CLIENT
  AIRFLOW_INSTALL_SOURCES:
    title: where Airflow is installed from
    default: "."
    aliases: [AIRFLOW_INSTALLATION_METHOD]
    environment: AIRFLOW_INSTALLATION_METHOD
    # What pip takes for a name of the distribution is no part of the place.
    matching: "([^#]*)(?:#.*)?"
  AIRFLOW_INSTALL_VERSION:
    title: version restriction of the installation
    default: ""
    aliases: [AIRFLOW_VERSION_SPECIFICATION]
  SLUGIFY_USES_TEXT_UNIDECODE:
    title: "yes for Airflow 1.10.1 and 1.10.2"
    default: ""
  AIRFLOW_WWW:
    title: folder of the web assets
    default: www
  AIRFLOW_SOURCES_FROM:
    title: what is copied from the build context
    default: "."
  AIRFLOW_SOURCES_TO:
    title: where it is copied to
    default: /opt/airflow

  # Later ones.
  AIRFLOW_CONSTRAINTS_LOCATION:
    title: place of the constraints file
    default: ""
  AIRFLOW_CONSTRAINTS_MODE:
    title: which of the constraints of a release
    default: ""
    aliases: [AIRFLOW_CONSTRAINTS]
  INSTALL_FROM_PYPI:
    title: whether packages are installed from an index
    default: ""
    aliases: [INSTALL_AIRFLOW_VIA_PIP]
  INSTALL_DISTRIBUTIONS_FROM_CONTEXT:
    title: whether packages are installed from the build context
    default: ""
    aliases: [AIRFLOW_LOCAL_PIP_WHEELS, INSTALL_FROM_DOCKER_CONTEXT_FILES, INSTALL_PACKAGES_FROM_CONTEXT]
  INSTALL_PROVIDERS_FROM_SOURCES:
    title: whether providers are built from sources
    default: ""
  DEV_APT_DEPS:
    title: Debian packages of the build stage
    default: ""
  DEV_APT_COMMAND:
    title: command before these are installed
    default: ""
  ADDITIONAL_DEV_APT_COMMAND:
    title: one more command before these are installed
    default: ""
  ADDITIONAL_DEV_APT_ENV:
    title: variables for their installation
    default: ""
    aliases: [ADDITIONAL_DEV_ENV_VARS]
  RUNTIME_APT_DEPS:
    title: Debian packages of the image; up to 2.3 the whole list, then empty for that of the Dockerfile
    default: ""
    environment: RUNTIME_APT_DEPS
  RUNTIME_APT_COMMAND:
    title: command before these are installed
    default: ""
    environment: RUNTIME_APT_COMMAND
  ADDITIONAL_RUNTIME_APT_COMMAND:
    title: one more command before these are installed
    default: ""
    environment: ADDITIONAL_RUNTIME_APT_COMMAND
  ADDITIONAL_RUNTIME_APT_ENV:
    title: variables for their installation
    default: ""
    aliases: [ADDITIONAL_RUNTIME_ENV_VARS]
  INSTALL_MYSQL_CLIENT_TYPE:
    title: whose MySQL client is installed, mysql or mariadb
    default: ""
    environment: INSTALL_MYSQL_CLIENT_TYPE
  INSTALL_MSSQL_CLIENT:
    title: whether the ODBC driver for SQL Server is installed
    default: "true"
    type: boolean
    environment: INSTALL_MSSQL_CLIENT
  INSTALL_POSTGRES_CLIENT:
    title: whether the PostgreSQL client is installed
    default: "true"
    type: boolean
    environment: INSTALL_POSTGRES_CLIENT
  AIRFLOW_PIP_VERSION:
    title: version of pip
    default: ""
    environment: AIRFLOW_PIP_VERSION
  AIRFLOW_UV_VERSION:
    title: version of uv
    default: ""
    environment: AIRFLOW_UV_VERSION
  AIRFLOW_USE_UV:
    title: whether uv installs, not pip
    default: "false"
    type: boolean
    environment: AIRFLOW_USE_UV
  ADDITIONAL_PIP_INSTALL_FLAGS:
    title: options of pip
    default: ""
  PIP_PROGRESS_BAR:
    title: how pip shows progress
    default: ""
  UPGRADE_RANDOM_INDICATOR_STRING:
    title: not empty to upgrade beyond the constraints
    default: ""
    aliases: [UPGRADE_INVALIDATION_STRING, UPGRADE_TO_NEWER_DEPENDENCIES]
  CONTINUE_ON_PIP_CHECK_FAILURE:
    title: whether the build goes on when requirements conflict
    default: ""
  DOCKER_CONTEXT_FILES:
    title: what is copied to /docker-context-files of the build stage
    default: ""
  BASE_IMAGE:
    title: base image, from 3.1
    default: ""
    environment: BASE_IMAGE
  PYTHON_LTO:
    title: whether Python is compiled with link-time optimisation
    default: ""
  AIRFLOW_IMAGE_TYPE:
    title: kind of the image
    default: ""
    environment: AIRFLOW_IMAGE_TYPE
  AIRFLOW_IMAGE_REPOSITORY:
    title: place of the sources, for the labels
    default: ""
  AIRFLOW_IMAGE_README_URL:
    title: place of the read-me, for the labels
    default: ""
  AIRFLOW_IMAGE_DATE_CREATED:
    title: date for the labels
    default: ""
    label: org.opencontainers.image.created
  BUILD_ID:
    title: number of the build
    default: ""
    environment: BUILD_ID
  COMMIT_SHA:
    title: commit that was built
    default: ""
    environment: COMMIT_SHA
  DEPENDENCY_CACHE_EPOCH:
    title: changed to build without a cache
    default: ""
  INCLUDE_PRE_RELEASE:
    title: whether pre-releases may be installed
    default: ""
  VERSION_SUFFIX:
    title: suffix of versions built from sources
    default: ""

  # No build arguments, but what others say; profiles give the first.
  DEFAULT_EXTRAS:
    title: extras that a regular image of the line has, but for those of a database client
    default: ""
  PYTHON_BASE_CODENAME:
    title: Debian release by the name of the base image
    default: ""
    environment: [PYTHON_BASE_IMAGE, BASE_IMAGE]
    matching: ".*(buster|bullseye|bookworm|trixie).*"
  PYTHON_BASE_VERSION:
    title: line of Python by the name of the base image
    default: ""
    environment: PYTHON_BASE_IMAGE
    matching: "(?:.*/)?python:([0-9]+\\.[0-9]+).*"
  IMAGE_NAME:
    title: name that the build was to give the image
    default: ""

"""#),
            ("toolchain.yaml", #"""
group: toolchain
title: What is for building only
# An image that extends another may add tools for building, at the price of its size (AIR-EXT-007). Only --base tells for
# certain what was added: without it whatever is in the image counts.
checks:
  - id: AIR-TOOL-001
    title: build-essential is not installed
    statements: [B01, C01, E01]
    source: Extending the image
    expect:
      packages: {none: [build-essential], from: base}
    remedy: install it in a build stage, as customising the image does

  - id: AIR-TOOL-002
    title: there is no gcc
    statements: [B02, C01, C11, E01]
    source: Extending the image
    expect:
      # gcc-12-base is an empty package of every Debian.
      - packages: {none: [gcc, "gcc-[0-9]*"], except: ["gcc-*-base"], from: base}
      - commands:
          none: [gcc, cc, "gcc-[0-9]*", "*-linux-gnu-gcc", "*-linux-gnu-gcc-[0-9]*"]
          from: base
    remedy: install it in a build stage, as customising the image does

  - id: AIR-TOOL-003
    title: there is no g++
    statements: [B03, C01, C11, E01]
    source: Extending the image
    expect:
      - packages: {none: [g++, "g++-[0-9]*"], from: base}
      - commands:
          none: [g++, c++, "g++-[0-9]*", "*-linux-gnu-g++", "*-linux-gnu-g++-[0-9]*"]
          from: base
    remedy: install it in a build stage, as customising the image does

  - id: AIR-TOOL-004
    title: there is no make
    statements: [B04]
    source: Extending the image
    expect:
      - packages: {none: [make, make-guile], from: base}
      - commands: {none: [make, gmake], from: base}
    remedy: install it in a build stage, as customising the image does

  - id: AIR-TOOL-005
    title: there is no cmake
    statements: [B05]
    source: Extending the image
    expect:
      - packages: {none: [cmake], from: base}
      - commands: {none: [cmake], from: base}
      - distributions: {none: [cmake], from: base}
    remedy: install it in a build stage, as customising the image does

  - id: AIR-TOOL-006
    title: no other package for development is installed
    statements: [A03, A04]
    source: Customizing or extending the Production Image
    severity: warning
    expect:
      packages:
        from: base
        none: ["*-dev", "cpp", "cpp-[0-9]*", binutils, dpkg-dev, pkg-config, pkgconf]
        # A run-time dependency of the image from 2.6.3 on.
        except: [libgeos-dev, "${ADDITIONAL_RUNTIME_DEPS}"]
    remedy: install it in a build stage, as customising the image does

  - id: AIR-TOOL-007
    title: the additional packages for building are not in the image
    statements: [G13, C11, I07]
    source: "Production image build arguments: ADDITIONAL_DEV_DEPS"
    when: {parameters: {ADDITIONAL_DEV_DEPS: {not: ""}}}
    expect:
      packages:
        none: ["${ADDITIONAL_DEV_DEPS}"]
        # What the image has anyhow.
        except:
          - "${ADDITIONAL_RUNTIME_DEPS}"
          - apt-transport-https
          - apt-utils
          - ca-certificates
          - curl
          - freetds-bin
          - gnupg
          - krb5-user
          - ldap-utils
          - libgeos-dev
          - libsasl2-2
          - libsasl2-modules
          - locales
          - lsb-release
          - openssh-client
          - sasl2-bin
          - sqlite3
          - sudo
    remedy: pass packages that are needed at run time as ADDITIONAL_RUNTIME_DEPS

"""#),
            ("user.yaml", #"""
group: user
title: Who the image runs as
checks:
  - id: AIR-USER-001
    title: the airflow user has UID ${AIRFLOW_UID} and the primary group of its release line
    statements: [G16, G17, B09]
    source: "Production image build arguments: AIRFLOW_UID, AIRFLOW_GID"
    expect:
      user: airflow
      uid: ${AIRFLOW_UID}
      gid: {"..2.0.1": "${AIRFLOW_GID}", default: 0}
    remedy: create the user with --uid ${AIRFLOW_UID} and, from 2.0.2 on, --gid 0

  - id: AIR-USER-002
    title: the airflow group has GID ${AIRFLOW_GID}
    statements: [G17]
    source: "Production image build arguments: AIRFLOW_GID"
    when: {versions: "..2.1"}
    expect:
      group: airflow
      gid: ${AIRFLOW_GID}
    remedy: create the group with --gid ${AIRFLOW_GID}

  - id: AIR-USER-003
    title: the airflow user is in the airflow group as well as in group 0
    statements: [G17]
    source: "Production image build arguments: AIRFLOW_GID"
    when: {versions: "2.0.2..2.1"}
    expect:
      user: airflow
      groups: {contains: airflow}
    remedy: "usermod -g 0 airflow -G ${AIRFLOW_GID}"

  - id: AIR-USER-004
    title: there is no airflow group any more
    statements: [G17]
    source: "Production image build arguments: AIRFLOW_GID"
    severity: info
    when: {versions: "2.2.."}
    expect:
      group: airflow
      absent: true
    remedy: create the user with --gid 0 and without a group of its own

  - id: AIR-USER-005
    title: the home directory of the airflow user is ${AIRFLOW_USER_HOME_DIR}
    statements: [G19]
    source: "Production image build arguments: AIRFLOW_USER_HOME_DIR"
    expect:
      user: airflow
      home: ${AIRFLOW_USER_HOME_DIR}
    remedy: create the user with --home ${AIRFLOW_USER_HOME_DIR}

  - id: AIR-USER-006
    title: the image runs as airflow, not as root
    statements: [B09, B10, B13, B16]
    source: Extending the image
    expect:
      runsAs: {name: airflow, uid: "${AIRFLOW_UID}"}
    remedy: end the Dockerfile with USER ${AIRFLOW_UID}

  # The document's own example ends with USER airflow: true of the image, lost by extending it as told.
  - id: AIR-USER-007
    title: the image names its user by number, so that a cluster can tell it is not root
    statements: [J05]
    source: Using the production image (OpenShift Guidelines)
    severity: info
    expect:
      config: user
      matches: "[0-9]+(:[0-9]+)?"
    remedy: end the Dockerfile with USER ${AIRFLOW_UID}

  - id: AIR-USER-008
    title: the entrypoint can add an unknown user to /etc/passwd when it runs with group 0
    statements: [F01, F04, J04]
    source: Using the production image
    when: {versions: "1.10.11.."}
    expect:
      path: /etc/passwd
      type: file
      owner: root
      group: 0
      chmod: "ug+rw,g=u,o-w"
    remedy: chmod g=u /etc/passwd

"""#),
            ("waits-broker.yaml", #"""
# Which commands wait for Celery's broker, and which URLs are understood; with a stand-in for Airflow, as in waits.yaml.
group: waits
title: Waiting for the database and the broker
scenarios:
  broker-opens-late:
    services:
      broker: {kind: redis, opens: false}
    containers:
      scheduler:
        args: [scheduler]
        environment: &broker
          CONNECTION_CHECK_MAX_COUNT: "30"
          MAX_DB_CHECK_COUNT: "30"
          CONNECTION_CHECK_SLEEP_TIME: "1"
          DB_CHECK_SLEEP_TIME: "1"
          AIRFLOW__CORE__EXECUTOR: CeleryExecutor
          AIRFLOW__CELERY__BROKER_URL: "redis://${broker.user}:${broker.password}@${broker.host}:${broker.port}/0"
        files: &stand-in
          - path: "${AIRFLOW_USER_HOME_DIR}/.local/bin/airflow"
            mode: "0755"
            content: |
              #!/bin/bash
              case "$*" in
                  "db check --help") ;;
                  "db check") [ -z "$PROBE_DATABASE_PORT" ] || exec 3<>"/dev/tcp/127.0.0.1/$PROBE_DATABASE_PORT" ;;
                  "config get-value core executor") echo "${AIRFLOW__CORE__EXECUTOR:-SequentialExecutor}" ;;
                  "config get-value celery broker_url") echo "$AIRFLOW__CELERY__BROKER_URL" ;;
                  *) echo "stand-in for airflow: $*" ;;
              esac
      worker: {args: [celery, worker], environment: *broker, files: *stand-in}
      flower: {args: [celery, flower], environment: *broker, files: *stand-in}
    steps:
      - {start: scheduler}
      - {start: worker}
      - {start: flower}
      - {wait: scheduler, stdout: {matches: "(?s)(.*\n)?\\.+"}, within: 30}
      - {wait: worker, stdout: {matches: "(?s)(.*\n)?\\.+"}, within: 30}
      - {wait: flower, stdout: {matches: "(?s)(.*\n)?\\.+"}, within: 30}
      - {open: broker}
      - {wait: scheduler, within: 30}
      - {wait: worker, within: 30}
      - {wait: flower, within: 30}

  # The words of Airflow 1.10.
  broker-opens-late-1:
    services:
      broker: {kind: redis, opens: false}
    containers:
      worker: {args: [worker], environment: *broker, files: *stand-in}
      flower: {args: [flower], environment: *broker, files: *stand-in}
    steps:
      - {start: worker}
      - {start: flower}
      - {wait: worker, stdout: {matches: "(?s)(.*\n)?\\.+"}, within: 30}
      - {wait: flower, stdout: {matches: "(?s)(.*\n)?\\.+"}, within: 30}
      - {open: broker}
      - {wait: worker, within: 30}
      - {wait: flower, within: 30}

  broker-url-forms:
    services:
      broker: {kind: redis, opens: false}
    containers:
      plain:
        args: [scheduler]
        environment:
          CONNECTION_CHECK_MAX_COUNT: "30"
          CONNECTION_CHECK_SLEEP_TIME: "1"
          AIRFLOW__CORE__EXECUTOR: CeleryExecutor
          AIRFLOW__CELERY__BROKER_URL: "redis://${broker.host}:${broker.port}/0"
        files: *stand-in
      tls:
        args: [scheduler]
        environment:
          CONNECTION_CHECK_MAX_COUNT: "30"
          CONNECTION_CHECK_SLEEP_TIME: "1"
          AIRFLOW__CORE__EXECUTOR: CeleryExecutor
          AIRFLOW__CELERY__BROKER_URL: "rediss://${broker.host}:${broker.port}/0"
        files: *stand-in
      at:
        args: [scheduler]
        environment:
          CONNECTION_CHECK_MAX_COUNT: "30"
          CONNECTION_CHECK_SLEEP_TIME: "1"
          AIRFLOW__CORE__EXECUTOR: CeleryExecutor
          AIRFLOW__CELERY__BROKER_URL: "amqp://user:pa@ss@${broker.host}:${broker.port}//"
        files: *stand-in
    steps:
      - {start: plain}
      - {start: tls}
      - {start: at}
      - {wait: plain, stdout: {matches: "(?s)(.*\n)?\\.+"}, within: 30}
      - {wait: tls, stdout: {matches: "(?s)(.*\n)?\\.+"}, within: 30}
      - {wait: at, stdout: {matches: "(?s)(.*\n)?\\.+"}, within: 30}
      - {open: broker}
      - {wait: plain, within: 30}
      - {wait: tls, within: 30}
      - {wait: at, within: 30}

  broker-by-command:
    services:
      broker: {kind: listener, opens: false}
    containers:
      main:
        args: [scheduler]
        environment:
          CONNECTION_CHECK_MAX_COUNT: "30"
          MAX_DB_CHECK_COUNT: "30"
          CONNECTION_CHECK_SLEEP_TIME: "1"
          DB_CHECK_SLEEP_TIME: "1"
          AIRFLOW__CELERY__BROKER_URL_CMD: "echo redis://user:word@${broker.host}:${broker.port}/0"
        files: *stand-in
    steps:
      - {start: main}
      - {wait: main, stdout: {matches: "(?s)(.*\n)?\\.+"}, within: 30}
      - {open: broker}
      - {wait: main, within: 30}

  broker-never-opens:
    services:
      broker: {kind: listener, opens: false}
    containers:
      scheduler:
        args: [scheduler]
        environment:
          CONNECTION_CHECK_MAX_COUNT: "3"
          MAX_DB_CHECK_COUNT: "3"
          CONNECTION_CHECK_SLEEP_TIME: "1"
          DB_CHECK_SLEEP_TIME: "1"
          AIRFLOW__CORE__EXECUTOR: CeleryExecutor
          AIRFLOW__CELERY__BROKER_URL: &url "redis://user:word@${broker.host}:${broker.port}/0"
        files: *stand-in
      webserver:
        args: [webserver]
        environment:
          CONNECTION_CHECK_SLEEP_TIME: "30"
          DB_CHECK_SLEEP_TIME: "30"
          AIRFLOW__CORE__EXECUTOR: CeleryExecutor
          AIRFLOW__CELERY__BROKER_URL: *url
        files: *stand-in
      sqs:
        args: [scheduler]
        environment:
          CONNECTION_CHECK_SLEEP_TIME: "30"
          AIRFLOW__CORE__EXECUTOR: CeleryExecutor
          AIRFLOW__CELERY__BROKER_URL: "sqs://"
        files: *stand-in
    steps:
      - {start: scheduler}
      - {start: webserver}
      - {start: sqs}
      - {wait: scheduler, within: 40}
      - {wait: webserver, within: 25}
      # Earlier releases may go on waiting.
      - {wait: sqs, within: 25}

checks:
  - id: AIR-WAIT-101
    title: the scheduler waits for the broker (with a stand-in for airflow)
    statements: [F12]
    source: Using the production image
    run: broker-opens-late
    expect:
      - {exit: scheduler, equals: 0}
      - {stdout: scheduler, endsWith: "stand-in for airflow: scheduler"}
      - order: [start scheduler, broker opens, broker is reached, scheduler ends with 0]
    remedy: let the entrypoint try the broker's host and port until one answers, and exec the command then

  - id: AIR-WAIT-102
    title: the worker waits for the broker (with a stand-in for airflow)
    statements: [F13]
    source: Using the production image
    when: {versions: "1.10.13.."}
    run: broker-opens-late
    expect:
      - {exit: worker, equals: 0}
      - {stdout: worker, endsWith: "stand-in for airflow: celery worker"}
      - order: [start worker, broker opens, broker is reached, worker ends with 0]
    remedy: let the entrypoint try the broker's host and port until one answers, and exec the command then

  - id: AIR-WAIT-103
    title: flower waits for the broker (with a stand-in for airflow)
    statements: [F14]
    source: Using the production image
    when: {versions: "1.10.13.."}
    run: broker-opens-late
    expect:
      - {exit: flower, equals: 0}
      - {stdout: flower, endsWith: "stand-in for airflow: celery flower"}
      - order: [start flower, broker opens, broker is reached, flower ends with 0]
    remedy: let the entrypoint try the broker's host and port until one answers, and exec the command then

  - id: AIR-WAIT-104
    title: the worker of Airflow 1.10 waits for the broker (with a stand-in for airflow)
    statements: [F13]
    source: Using the production image
    when: {versions: "..2.1.2"}
    run: broker-opens-late-1
    expect:
      - {exit: worker, equals: 0}
      - {stdout: worker, endsWith: "stand-in for airflow: worker"}
      - order: [start worker, broker opens, broker is reached, worker ends with 0]
    remedy: let the entrypoint try the broker's host and port until one answers, and exec the command then

  - id: AIR-WAIT-105
    title: flower of Airflow 1.10 waits for the broker (with a stand-in for airflow)
    statements: [F14]
    source: Using the production image
    when: {versions: "..2.1.2"}
    run: broker-opens-late-1
    expect:
      - {exit: flower, equals: 0}
      - {stdout: flower, endsWith: "stand-in for airflow: flower"}
      - order: [start flower, broker opens, broker is reached, flower ends with 0]
    remedy: let the entrypoint try the broker's host and port until one answers, and exec the command then

  # Up to 2.1.3 a URL without credentials, or with an @ in the password, was misread.
  - id: AIR-WAIT-106
    title: a URL of the broker without credentials is understood (with a stand-in for airflow)
    statements: [F12]
    source: Using the production image
    when: {versions: "2.1.4.."}
    run: broker-url-forms
    expect:
      - {exit: plain, equals: 0}
      - {stdout: plain, endsWith: "stand-in for airflow: scheduler"}
      - order: [start plain, broker opens, broker is reached, plain ends with 0]
    remedy: let the entrypoint try the broker's host and port until one answers, and exec the command then

  - id: AIR-WAIT-107
    title: a rediss URL of the broker is understood (with a stand-in for airflow)
    statements: [F12]
    source: Using the production image
    when: {versions: "2.1.4.."}
    run: broker-url-forms
    expect:
      - {exit: tls, equals: 0}
      - {stdout: tls, endsWith: "stand-in for airflow: scheduler"}
      - order: [start tls, broker opens, broker is reached, tls ends with 0]
    remedy: let the entrypoint try the broker's host and port until one answers, and exec the command then

  - id: AIR-WAIT-108
    title: a URL of the broker with an @ in the password is understood (with a stand-in for airflow)
    statements: [F12]
    source: Using the production image
    when: {versions: "2.1.4.."}
    run: broker-url-forms
    expect:
      - {exit: at, equals: 0}
      - {stdout: at, endsWith: "stand-in for airflow: scheduler"}
      - order: [start at, broker opens, broker is reached, at ends with 0]
    remedy: let the entrypoint try the broker's host and port until one answers, and exec the command then

  - id: AIR-WAIT-109
    title: the URL of the broker may come from a command (with a stand-in for airflow)
    statements: [F12]
    source: Using the production image
    when: {versions: "1.10.13..2.1.2"}
    run: broker-by-command
    expect:
      - {exit: main, equals: 0}
      - {stdout: main, endsWith: "stand-in for airflow: scheduler"}
      - order: [start main, broker opens, broker is reached, main ends with 0]
    remedy: let the entrypoint try the broker's host and port until one answers, and exec the command then

  - id: AIR-WAIT-110
    title: a broker that cannot be reached ends the container after the last try (with a stand-in for airflow)
    statements: [F12]
    source: Using the production image
    when:
      any:
        - versions: "..1.10.12"
        - versions: "2.0.1.."
    run: broker-never-opens
    expect:
      - {exit: scheduler, equals: 1}
      - {stdout: scheduler, not: {contains: "stand-in for airflow: scheduler"}}
    remedy: end the entrypoint with exit 1 after the last try

  - id: AIR-WAIT-111
    title: other commands do not wait for the broker (with a stand-in for airflow)
    statements: [F15]
    source: Using the production image
    run: broker-never-opens
    expect:
      - {exit: webserver, equals: 0}
      - {stdout: webserver, endsWith: "stand-in for airflow: webserver"}
    remedy: wait for the broker before the commands of Celery and the scheduler only

  - id: AIR-WAIT-112
    title: a broker whose URL has no host is not waited for (with a stand-in for airflow)
    statements: [F12]
    source: Using the production image
    when: {versions: "2.1.4.."}
    run: broker-never-opens
    expect:
      - {exit: sqs, equals: 0}
      - {stdout: sqs, endsWith: "stand-in for airflow: scheduler"}
    remedy: pass over the check when the URL has no host or port

  - id: AIR-WAIT-113
    title: the password of the broker is not printed, also when it cannot be reached (with a stand-in for airflow)
    source: entrypoint of the release line
    when: {versions: "2.0.2.."}
    run: broker-never-opens
    expect:
      - {stdout: scheduler, contains: Maximum number of retries}
      - {stdout: scheduler, not: {contains: "user:word"}}
      - {stderr: scheduler, not: {contains: "user:word"}}
    remedy: write no URL to the log

"""#),
            ("waits.yaml", #"""
# What the entrypoint waits for. Airflow takes seconds to start, so a stand-in for its command is mounted over it
# where the entrypoint alone is looked at: it shows how it is run, and answers what an entrypoint asks of Airflow.
# Where nothing may be waited for, a single wait would take half a minute.
group: waits
title: Waiting for the database and the broker
scenarios:
  database-opens-late:
    services:
      database: {kind: listener, opens: false}
    containers:
      main:
        args: [scheduler]
        environment: &database
          # The second names are those up to 2.0.0, the last that of 2.3 and later.
          CONNECTION_CHECK_MAX_COUNT: "30"
          MAX_DB_CHECK_COUNT: "30"
          CONNECTION_CHECK_SLEEP_TIME: "1"
          DB_CHECK_SLEEP_TIME: "1"
          AIRFLOW__CORE__SQL_ALCHEMY_CONN: &url "postgresql://user:word@${database.host}:${database.port}/db"
          AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: *url
          PROBE_DATABASE_PORT: "${database.port}"
        files: &stand-in
          - path: "${AIRFLOW_USER_HOME_DIR}/.local/bin/airflow"
            mode: "0755"
            content: |
              #!/bin/bash
              case "$*" in
                  "db check --help") ;;
                  "db check") [ -z "$PROBE_DATABASE_PORT" ] || exec 3<>"/dev/tcp/127.0.0.1/$PROBE_DATABASE_PORT" ;;
                  "config get-value core executor") echo "${AIRFLOW__CORE__EXECUTOR:-SequentialExecutor}" ;;
                  "config get-value celery broker_url") echo "$AIRFLOW__CELERY__BROKER_URL" ;;
                  *) echo "stand-in for airflow: $*" ;;
              esac
    steps: &late
      - {start: main}
      # A dot is a try that failed.
      - {wait: main, stdout: {matches: "(?s)(.*\n)?\\.+"}, within: 30}
      - {open: database}
      - {wait: main, within: 30}

  database-never-opens:
    services:
      database: {kind: listener, opens: false}
    containers:
      main:
        args: [scheduler]
        environment: &never
          CONNECTION_CHECK_MAX_COUNT: "3"
          MAX_DB_CHECK_COUNT: "3"
          CONNECTION_CHECK_SLEEP_TIME: "1"
          DB_CHECK_SLEEP_TIME: "1"
          AIRFLOW__CORE__SQL_ALCHEMY_CONN: *url
          AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: *url
          PROBE_DATABASE_PORT: "${database.port}"
        files: *stand-in
      # A command that needs no database.
      bash:
        args: [bash, -c, echo bash runs]
        environment: *never
        files: *stand-in
    steps:
      - {start: main}
      - {start: bash}
      - {wait: main, within: 40}
      - {wait: bash, within: 40}

  database-by-command:
    services:
      database: {kind: listener, opens: false}
    containers:
      main:
        args: [scheduler]
        environment:
          CONNECTION_CHECK_MAX_COUNT: "30"
          MAX_DB_CHECK_COUNT: "30"
          CONNECTION_CHECK_SLEEP_TIME: "1"
          DB_CHECK_SLEEP_TIME: "1"
          AIRFLOW__CORE__SQL_ALCHEMY_CONN_CMD: "echo postgresql://user:word@${database.host}:${database.port}/db"
        files: *stand-in
    steps: *late

  # Airflow itself asks a server that turns the first clients away. One try may be two connections: the first to log
  # the command, which may fail.
  postgresql:
    within: 300
    services:
      database: {kind: postgresql, drops: 2}
    containers:
      main:
        args: [bash, -c, "echo now airflow scheduler could run"]
        environment:
          CONNECTION_CHECK_SLEEP_TIME: "1"
          AIRFLOW__CORE__MAX_DB_RETRIES: "1"
          AIRFLOW__DATABASE__MAX_DB_RETRIES: "1"
          AIRFLOW__CORE__SQL_ALCHEMY_CONN: &postgresql "postgresql+psycopg2://${database.user}:${database.password}@\
            ${database.host}:${database.port}/${database.database}?sslmode=disable"
          AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: *postgresql
  mariadb:
    within: 300
    services:
      database: {kind: mariadb, drops: 2}
    containers:
      main:
        args: [bash, -c, "echo now airflow scheduler could run"]
        environment:
          CONNECTION_CHECK_SLEEP_TIME: "1"
          AIRFLOW__CORE__MAX_DB_RETRIES: "1"
          AIRFLOW__DATABASE__MAX_DB_RETRIES: "1"
          AIRFLOW__CORE__SQL_ALCHEMY_CONN: &mariadb "mysql+mysqldb://${database.user}:${database.password}@\
            ${database.host}:${database.port}/${database.database}"
          AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: *mariadb

  nothing-to-wait-for:
    containers:
      main:
        args: [scheduler]
        environment:
          CONNECTION_CHECK_SLEEP_TIME: "30"
          DB_CHECK_SLEEP_TIME: "30"
          AIRFLOW__CORE__SQL_ALCHEMY_CONN: "sqlite:////tmp/probe.db"
          AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: "sqlite:////tmp/probe.db"
        files: *stand-in

checks:
  - id: AIR-WAIT-001
    title: the command is run when the database can be reached, not before (with a stand-in for airflow)
    statements: [F08]
    source: Using the production image
    run: database-opens-late
    expect:
      - {exit: main, equals: 0}
      - {stdout: main, matches: "(?s).*\\..*\nstand-in for airflow: scheduler"}
      - order: [start main, database opens, database is reached, main ends with 0]
    remedy: let the entrypoint try the connection until it succeeds, and exec the command then

  # 1.10.13 to 2.0.0 went on to run the command.
  - id: AIR-WAIT-002
    title: a database that cannot be reached ends the container after the last try (with a stand-in for airflow)
    statements: [F09]
    source: Using the production image
    when:
      any:
        - versions: "..1.10.12"
        - versions: "2.0.1.."
    run: database-never-opens
    expect:
      - {exit: main, equals: 1}
      - {stdout: main, not: {contains: stand-in}}
      - {took: main, atLeast: 2}
    documented:
      - {exit: main, absent: true}
    remedy: end the entrypoint with exit 1 after the last try

  - id: AIR-WAIT-003
    title: the last try of the database is told, with what came of it (with a stand-in for airflow)
    statements: [F09]
    source: Using the production image
    when: {versions: "2.0.2.."}
    run: database-never-opens
    expect:
      - {stdout: main, contains: Maximum number of retries}
      - {stdout: main, contains: airflow db check}
    remedy: print the result of the last try

  # Whether 3.2 waits for every command is not known.
  - id: AIR-WAIT-004
    title: "bash waits for the database, up to 3.1; from 3.3 it needs none (with a stand-in for airflow)"
    statements: [F08]
    source: Using the production image
    when:
      any:
        - versions: "..1.10.12"
        - versions: "2.0.1..3.1"
        - versions: "3.3.."
    run: database-never-opens
    expect:
      - {exit: bash, value: {"3.3..": 0, default: 1}}
      - stdout: bash
        value: {"3.3..": {contains: bash runs}, default: {not: {contains: bash runs}}}
    remedy: wait before the command is chosen

  - id: AIR-WAIT-005
    title: the connection may come from a command (with a stand-in for airflow)
    statements: [F08]
    source: Using the production image
    when: {versions: "1.10.13..2.0.1"}
    run: database-by-command
    expect:
      - {exit: main, equals: 0}
      - order: [start main, database opens, database is reached, main ends with 0]
    remedy: evaluate AIRFLOW__CORE__SQL_ALCHEMY_CONN_CMD

  - id: AIR-WAIT-006
    title: Airflow waits for a PostgreSQL that turns it away, and goes on when it is let in
    statements: [F08]
    source: Using the production image
    when: {versions: "2.0.2.."}
    run: postgresql
    expect:
      - {exit: main, equals: 0}
      - {stdout: main, matches: "(?s).*\\..*\nnow airflow scheduler could run"}
      - {connections: database, atLeast: 3}
    remedy: let the entrypoint run airflow db check until it succeeds

  - id: AIR-WAIT-007
    title: Airflow waits for a MariaDB that turns it away, and goes on when it is let in
    statements: [F08]
    source: Using the production image
    when: {versions: "2.0.2..", parameters: {INSTALL_MYSQL_CLIENT: "true"}}
    run: mariadb
    expect:
      - {exit: main, equals: 0}
      - {stdout: main, matches: "(?s).*\\..*\nnow airflow scheduler could run"}
      - {connections: database, atLeast: 3}
    remedy: let the entrypoint run airflow db check until it succeeds

  - id: AIR-WAIT-008
    title: without a database of its own or with SQLite, and without a broker, nothing is waited for (with a
      stand-in for airflow)
    statements: [F10, F16]
    source: Using the production image
    run: nothing-to-wait-for
    expect:
      - {exit: main, equals: 0}
      - {stdout: main, endsWith: "stand-in for airflow: scheduler"}
      - {took: main, atMost: 25}
    remedy: wait for PostgreSQL and MySQL only, and for a broker where there is one

  - id: AIR-WAIT-009
    title: the password of the database is not printed, also when it cannot be reached (with a stand-in for airflow)
    source: entrypoint of the release line
    when: {versions: "2.0.2.."}
    run: database-never-opens
    expect:
      - {stdout: main, contains: Maximum number of retries}
      - {stdout: main, not: {contains: "user:word"}}
      - {stderr: main, not: {contains: "user:word"}}
    remedy: write no URL to the log

"""#),
        ],
    ]
}
