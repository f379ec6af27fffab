import Glibc
import Suite

/// How a server of this machine is prepared, run and asked whether it is ready.
struct ServerPlan: Sendable {
    enum Endpoint: Sendable {
        /// A socket in its directory.
        case socket(String)
        case port(UInt16)
    }

    var kind: ServiceDeclaration.Kind
    /// What has to be installed, and the Debian packages that have it.
    var programs: [String]
    var packages: [String]
    /// Written into its directory first.
    var files: [(name: String, content: String)] = []
    /// For a POSIX shell in its directory; ends by becoming the server.
    var script: String
    var endpoint: Endpoint
    var greeting: Greeting
    /// Without SIG; it has to end the server within a second, with nothing left of it.
    var endingSignal = "KILL"
    /// Beside the address, by the names of `ServiceDeclaration.Kind.parameters`.
    var values: [String: String]

    /// The credentials of every server: they end with it, and it is reached from this machine only.
    private static let user = "airflow"
    private static let password = "assay-probe-password"

    static var postgresql: ServerPlan {
        let options = [
            "listen_addresses=", "port=5432", "unix_socket_directories=.", "full_page_writes=off",
            "synchronous_commit=off", "shared_buffers=16MB", "max_connections=40",
        ]
        // Protocol 3.0 (PostgreSQL, "Message Formats", StartupMessage): the answer is a request to authenticate
        // (R), an error while the server is starting up.
        let parameters = Array("user\0\(user)\0database\0postgres\0\0".utf8)
        let length = UInt32(8 + parameters.count)
        let head = [length, 0x0003_0000].flatMap { number in
            (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
        }
        return ServerPlan(
            kind: .postgresql, programs: ["postgres", "initdb"], packages: ["postgresql"],
            files: [("password", password)],
            script: """
                initdb --pgdata=db --username=\(user) --pwfile=password --auth=scram-sha-256 --encoding=UTF8 \
                --no-locale --no-sync
                ln -s db/.s.PGSQL.5432 socket
                exec postgres -D db -F \(options.map { "-c \($0)" }.joined(separator: " "))
                """,
            endpoint: .socket("socket"),
            greeting: Greeting(question: head + parameters) { $0.first == UInt8(ascii: "R") },
            // At once; killed, it leaves a segment of shared memory.
            endingSignal: "QUIT",
            values: ["user": user, "password": password, "database": "postgres"])
    }

    static var mariadb: ServerPlan {
        ServerPlan(
            kind: .mariadb, programs: ["mariadbd", "mariadb-install-db"], packages: ["mariadb-server"],
            files: [
                (
                    "init.sql",
                    """
                    CREATE DATABASE airflow CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
                    CREATE USER \(user)@localhost IDENTIFIED BY '\(password)';
                    GRANT ALL PRIVILEGES ON airflow.* TO \(user)@localhost;

                    """
                )
            ],
            script: """
                mariadb-install-db --no-defaults --datadir="$PWD/db" --auth-root-authentication-method=normal \
                --skip-test-db --skip-name-resolve --innodb-log-file-size=4M
                exec mariadbd --no-defaults --datadir="$PWD/db" --socket="$PWD/socket" --pid-file="$PWD/pid" \
                --skip-networking --skip-name-resolve --init-file="$PWD/init.sql" --skip-log-bin \
                --innodb-log-file-size=4M --innodb-buffer-pool-size=16M --innodb-flush-log-at-trx-commit=0
                """,
            endpoint: .socket("socket"),
            // It speaks first (MySQL client/server protocol, "Protocol::HandshakeV10"): four bytes of a packet's
            // head, then the version of the protocol.
            greeting: Greeting(question: []) { $0.count > 4 && $0[4] == 10 },
            values: ["user": user, "password": password, "database": "airflow"])
    }

    static var redis: ServerPlan {
        ServerPlan(
            kind: .redis, programs: ["redis-server"], packages: ["redis-server"],
            files: [
                (
                    "redis.conf",
                    """
                    port 0
                    unixsocket socket
                    save ""
                    appendonly no
                    user default on nopass ~* &* +@all
                    user \(user) on >\(password) ~* &* +@all

                    """
                )
            ], script: "exec redis-server redis.conf", endpoint: .socket("socket"),
            greeting: Greeting(question: Array("PING\r\n".utf8)) { $0.starts(with: Array("+PONG".utf8)) },
            values: ["user": user, "password": password])
    }

    /// - Parameter port: a free one, for itself.
    static func kdc(port: UInt16) -> ServerPlan {
        let realm = "PROBE.TEST"
        return ServerPlan(
            kind: .kdc, programs: ["krb5kdc", "kadmin.local", "kdb5_util"],
            packages: ["krb5-kdc", "krb5-admin-server"],
            files: [
                ("krb5.conf", clientConfiguration(realm: realm, port: port)),
                (
                    "kdc.conf",
                    """
                    [kdcdefaults]
                        kdc_listen = ""
                        kdc_tcp_listen = 127.0.0.1:\(port)
                    [realms]
                        \(realm) = {
                            database_name = principals
                            key_stash_file = stash
                            max_life = 1h
                            max_renewable_life = 1d
                            supported_enctypes = aes256-cts:normal
                        }
                    [logging]
                        kdc = STDERR

                    """
                ),
            ],
            script: """
                export KRB5_CONFIG="$PWD/krb5.conf" KRB5_KDC_PROFILE="$PWD/kdc.conf"
                kdb5_util create -s -r \(realm) -P "\(password)"
                kadmin.local -r \(realm) <<END
                addprinc -randkey \(user)
                addprinc -randkey stranger
                ktadd -k keytab \(user)
                ktadd -k stranger.keytab stranger
                END
                exec krb5kdc -n -r \(realm)
                """,
            endpoint: .port(port), greeting: Greeting(question: []),
            values: [
                "realm": realm, "principal": "\(user)@\(realm)", "stranger": "stranger@\(realm)",
            ])
    }

    /// A krb5.conf for whoever reaches the KDC at a port.
    static func clientConfiguration(realm: String, port: UInt16) -> String {
        """
        [libdefaults]
            default_realm = \(realm)
            dns_lookup_kdc = false
            dns_lookup_realm = false
            rdns = false
            udp_preference_limit = 1
        [realms]
            \(realm) = {
                kdc = 127.0.0.1:\(port)
            }

        """
    }
}
