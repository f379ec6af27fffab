// Written by scripts/generate from Conformance/; do not edit.
// swift-format-ignore-file

/// The suites that come with the program: the files of each by its name.
enum BuiltinSuites {
    static let files: [String: [(name: String, text: String)]] = [
        "airflow": [
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
    remedy: chown airflow:0 and chmod g=u ${AIRFLOW_HOME}

  - id: AIR-FS-002
    title: the folder for DAGs belongs to airflow and group 0, and both may write
    statements: [B21, F18, F24, G15]
    source: Using the production image
    when: {versions: "1.10.11.."}
    expect:
      path: ${AIRFLOW_HOME}/dags
      type: directory
      owner: ${AIRFLOW_UID}
      group: 0
      chmod: "ug+rwx,g=u"
    remedy: make ${AIRFLOW_HOME}/dags, chown airflow:0, chmod g=u

  - id: AIR-FS-003
    title: the folder for logs belongs to airflow and group 0, and both may write
    statements: [F19, F24, G15]
    source: Using the production image
    when: {versions: "1.10.11.."}
    expect:
      path: ${AIRFLOW_HOME}/logs
      type: directory
      owner: ${AIRFLOW_UID}
      group: 0
      chmod: "ug+rwx,g=u"
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
    title: no keytab is in the image
    statements: [K05]
    source: Kerberos-authenticated workers
    expect:
      paths: {none: ["/**/*.keytab"]}
      type: file
    remedy: mount the keytab as a secret, into the container of airflow kerberos only

  - id: AIR-KRB-003
    title: no ticket is in the image
    statements: [K06]
    source: Kerberos-authenticated workers
    expect:
      paths: {none: ["/tmp/krb5cc*", "/var/tmp/krb5cc*", "/**/airflow_krb5_ccache"]}
      type: file
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
        # Slim images have no drivers; they have no Celery either.
        - distributions: {any: [apache-airflow-providers-celery, celery]}
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
      paths:
        none: ["/var/lib/apt/lists/**"]
        except: [/var/lib/apt/lists/lock]
      type: file
    remedy: rm -rf /var/lib/apt/lists/* in the step that ran apt-get update

  - id: AIR-APT-004
    title: no archive of a package is left behind
    statements: [A03, B12]
    source: Extending the image
    expect:
      paths: {none: ["/var/cache/apt/archives/**/*.deb"]}
    remedy: apt-get clean in the step that ran apt-get install

"""#),
            ("profiles.yaml", #"""
# Release lines, newest first: the first whose marks are in the image is its line. The marks are what the
# Dockerfiles of the line leave in every image; the installed version decides only between lines that leave the
# same ones. Images were pushed again under old tags with newer Dockerfiles: they are judged as what they are.
profiles:
  - id: "3.1-3.3"
    title: Airflow 3.1 to 3.3
    versions: "3.1..3.3"
    when: {environment: AIRFLOW_PYTHON_VERSION}
  - id: "3.0"
    title: Airflow 3.0
    versions: "3.0"
    when: {versions: "3..", environment: VIRTUAL_ENV}
  - id: "2.8-2.11"
    title: Airflow 2.8 to 2.11
    versions: "2.8..2.11"
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
    when:
      all:
        - environment: DUMB_INIT_SETSID
        - {environment: AIRFLOW_GID, absent: true}
  - id: "2.0.2-2.1"
    title: Airflow 2.0.2 to 2.1
    versions: "2.0.2..2.1"
    when:
      any:
        - environment: PIP_USER
        - label: org.apache.airflow.main-image.build-id
  - id: "2.0.0-2.0.1"
    title: Airflow 2.0.0 and 2.0.1
    versions: "2.0.0..2.0.1"
    when:
      # 1.10.14 has the same marks.
      versions: "2.."
      any:
        - environment: AIRFLOW_PIP_VERSION
        - label: org.apache.airflow.version
  - id: "1.10"
    title: Airflow 1.10, and 2.0.0.dev0 as the document builds it
    versions: "1.10"
    when:
      any:
        - environment: ADDITIONAL_RUNTIME_DEPS
        - environment: AIRFLOW_GID
        - versions: "..1.10"

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
      paths:
        none:
          - "${AIRFLOW_USER_HOME_DIR}/.cache/pip/**"
          - "${AIRFLOW_USER_HOME_DIR}/.cache/uv/**"
          - "/root/.cache/pip/**"
          - "/root/.cache/uv/**"
          - "/tmp/.cache/pip/**"
          - "/tmp/.cache/uv/**"
      type: file
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

"""#),
            ("suite.yaml", #"""
# The production image as the document describes it. README.md says how to read and write these files.
suite: airflow
title: Apache Airflow production image
document: "Production Deployment (Airflow 1.10.12 / 2.0.0.dev0)"

# What is installed decides by which release an image is judged, not its tag.
release:
  distribution: [apache-airflow, apache-airflow-core]

# The build arguments of the document. `environment` and `label` name what repeats the value in the image.
parameters:
  PYTHON_BASE_IMAGE:
    title: base image
    default: "python:3.6-slim-buster"
    environment: PYTHON_BASE_IMAGE
  PYTHON_MAJOR_MINOR_VERSION:
    title: line of Python, which should match the base image
    type: version
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

"""#),
            ("toolchain.yaml", #"""
group: toolchain
title: What is for building only
checks:
  - id: AIR-TOOL-001
    title: build-essential is not installed
    statements: [B01]
    source: Extending the image
    expect:
      packages: {none: [build-essential]}
    remedy: install it in a build stage, as customising the image does

  - id: AIR-TOOL-002
    title: there is no gcc
    statements: [B02, C11]
    source: Extending the image
    expect:
      # gcc-12-base is an empty package of every Debian.
      - packages: {none: [gcc, "gcc-[0-9]*"], except: ["gcc-*-base"]}
      - commands: {none: [gcc, cc, "gcc-[0-9]*", "*-linux-gnu-gcc", "*-linux-gnu-gcc-[0-9]*"]}
    remedy: install it in a build stage, as customising the image does

  - id: AIR-TOOL-003
    title: there is no g++
    statements: [B03, C11]
    source: Extending the image
    expect:
      - packages: {none: [g++, "g++-[0-9]*"]}
      - commands: {none: [g++, c++, "g++-[0-9]*", "*-linux-gnu-g++", "*-linux-gnu-g++-[0-9]*"]}
    remedy: install it in a build stage, as customising the image does

  - id: AIR-TOOL-004
    title: there is no make
    statements: [B04]
    source: Extending the image
    expect:
      - packages: {none: [make, make-guile]}
      - commands: {none: [make, gmake]}
    remedy: install it in a build stage, as customising the image does

  - id: AIR-TOOL-005
    title: there is no cmake
    statements: [B05]
    source: Extending the image
    expect:
      - packages: {none: [cmake]}
      - commands: {none: [cmake]}
      - distributions: {none: [cmake]}
    remedy: install it in a build stage, as customising the image does

  - id: AIR-TOOL-006
    title: no other package for development is installed
    statements: [A03, A04]
    source: Customizing or extending the Production Image
    severity: warning
    expect:
      packages:
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
        ],
    ]
}
