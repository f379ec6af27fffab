import Facts
import OCIModel
import RootFS
import Testing

@Suite("Secrets") struct SecretFactsTests {
    /// The secrets of an image as "kind shown place".
    private func secrets(
        _ layers: Layer..., environment: [String] = [], history: [String] = []
    ) throws -> [String] {
        let config = try config(
            environment: environment, history: history.map { ($0, true) }, layerCount: 0)
        let rootfs = RootFS.merging(layers.map(\.table), plan: .facts)
        return try facts(rootfs, config: config).secrets.secrets.map { secret in
            let place =
                switch secret.place {
                case .environment(let name): "environment \(name)"
                case .label(let name): "label \(name)"
                case .history(let step): "step \(step)"
                case .file(let path, let layer, let hiddenBy):
                    "\(path) layer \(layer)" + (hiddenBy.map { " hidden by \($0)" } ?? "")
                }
            return "\(secret.kind.rawValue) \(secret.shown) \(place)"
        }
    }

    // Put together, so that no scanner of this repository takes them for real.
    private static let githubToken = "ghp_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17"
    private static let awsKey = "AKIA" + "QWERTYUIOPASDFGH"
    private static let privateKey =
        "-----BEGIN RSA PRIVATE" + " KEY-----\n" + String(repeating: "QUJD", count: 20)
        + "\n-----END RSA PRIVATE" + " KEY-----\n"

    @Test func tokensAreKnownByTheirShapeAndChecksum() throws {
        #expect(
            try secrets(environment: ["A=\(Self.githubToken)", "B=x \(Self.awsKey) y"]) == [
                "githubToken ghp_…(40 characters) environment A",
                "awsAccessKey AKIA…(20 characters) environment B",
            ])
        let wrong = [
            "A=\(Self.githubToken.dropLast())8", "B=AKIAIOSFODNN7EXAMPLE", "C=x\(Self.awsKey)",
            "D=\(Self.awsKey)A", "E=ghp_short",
        ]
        #expect(try secrets(environment: wrong).isEmpty)
    }

    @Test func namesSayThatAValueIsSecret() throws {
        #expect(
            try secrets(environment: [
                "DB_PASSWORD=swordfish", "AIRFLOW__CORE__FERNET_KEY=abcdefgh", "EMPTY_PASSWORD=",
                "X_TOKEN=$TOKEN",
                "GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305", "PASSWORD_FILE=/run/secret",
                "TOKEN=/run/secret",
                "AIRFLOW__CORE__FERNET_KEY_SECRET=", "MONKEY=banana",
            ]) == [
                "password …(9 characters) environment DB_PASSWORD",
                "password …(8 characters) environment AIRFLOW__CORE__FERNET_KEY",
            ])
    }

    @Test func urlsMayHavePasswords() throws {
        #expect(
            try secrets(environment: [
                "A=postgresql+psycopg2://airflow:swordfish@db/airflow", "B=https://user@host/",
                "C=http://h:80/a@b",
                "D=https://user:$PASSWORD@host/", "E=https://user:***@host/",
            ]) == ["urlPassword password …(9 characters) environment A"])
    }

    @Test func theHistoryShowsWhatCommandsWereGiven() throws {
        #expect(
            try secrets(history: [
                "RUN |1 API_TOKEN=swordfish /bin/sh -c make", "/bin/sh -c curl --password swordfish x",
                "RUN useradd --disabled-password airflow && adduser --password \"$P\"",
                "RUN pip install --index-url https://me:swordfish@example.org/simple x",
            ]) == [
                "password API_TOKEN …(9 characters) step 0", "password --password …(9 characters) step 1",
                "urlPassword password …(9 characters) step 3",
            ])
    }

    @Test func aStepIsNotSaidTwice() throws {
        let found = try secrets(environment: ["A_TOKEN=swordfish"], history: ["ENV A_TOKEN=swordfish"])
        #expect(found == ["password …(9 characters) environment A_TOKEN"])
        // One that the config has no more is still in the history.
        let old = try secrets(environment: ["A_TOKEN="], history: ["ENV A_TOKEN=swordfish", "ENV A_TOKEN="])
        #expect(old == ["password A_TOKEN …(9 characters) step 0"])
    }

    @Test func filesAreReadByTheirNames() throws {
        let layer = Layer().file("root/.ssh/id_rsa", Self.privateKey).file("etc/x.pem", Self.privateKey)
            .file("srv/plain", Self.privateKey)
            .file("root/.netrc", "machine x login y password swordfish\n")
            .file("root/.docker/config.json", #"{"auths":{"x":{"auth":"dTpw"}}}"#)
            .file("root/.aws/credentials", "[default]\naws_secret_access_key = swordfish\n")
            .file("root/.npmrc", "//registry/:_authToken=swordfish\n")
            .file("etc/pip.conf", "index-url = https://u:swordfish@x/simple\n")
            .file("etc/krb5.keytab", bytes: [5, 2, 0, 0]).file("tmp/krb5cc_0", bytes: [5, 4, 0, 0])
            .file("opt/airflow/airflow.cfg", "# fernet_key = x\nfernet_key = swordfish\nsecret_key = {KEY}\n")
        let found = try secrets(layer).map { $0.split(separator: " ").first.map(String.init) ?? "" }
        #expect(
            found.sorted() == [
                "keytab", "password", "password", "password", "password", "password", "privateKey",
                "privateKey",
                "ticketCache", "urlPassword",
            ])
    }

    @Test func whatIsNoSecretIsNotReported() throws {
        let encrypted = Self.privateKey.replacing("-----\nQ", with: "-----\nProc-Type: 4,ENCRYPTED\n\nQ")
        let layer = Layer().file("a.pem", "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n")
            .file("b.pem", encrypted)
            .file("c.pem", Self.privateKey.replacing("RSA PRIVATE", with: "ENCRYPTED PRIVATE"))
            .file("d.pem", "-----BEGIN PRIVATE KEY-----\nshort\n-----END PRIVATE KEY-----\n")
            .file("a.keytab", "text").file("krb5cc_1", "text")
            .file(".netrc", "machine x login y password <password>\n")
        #expect(try secrets(layer).isEmpty)
    }

    @Test func removedAndReplacedFilesAreStillInTheirLayer() throws {
        let removed = try secrets(
            Layer().file("root/.ssh/id_rsa", Self.privateKey), Layer().whiteout("root/.ssh/.wh.id_rsa"))
        #expect(
            removed == ["privateKey RSA PRIVATE KEY (80 characters) /root/.ssh/id_rsa layer 0 hidden by 1"])
        let replaced = try secrets(
            Layer().file("root/.netrc", "machine x password swordfish"), Layer().file("root/.netrc", "\n"))
        #expect(replaced == ["password password …(9 characters) /root/.netrc layer 0 hidden by 1"])
    }

    @Test func aFileThatWasNotReadIsSaid() throws {
        let layer = Layer().file("a.pem", bytes: Array(repeating: 65, count: 2 << 20))
        #expect(try facts(tree(layer)).secrets.unread.entries.map(\.path) == ["/a.pem"])
    }
}
