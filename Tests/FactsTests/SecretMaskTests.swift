import Facts
import Testing

struct SecretMaskTests {
    private let mask = SecretMask(named: [
        ("DB_PASSWORD", "hunter2hunter2"), ("SHORT_PASSWORD", "airflow"), ("AIRFLOW_HOME", "/opt/airflow1"),
        ("REFERENCE_PASSWORD", "$DB_PASSWORD"), ("PATH_SECRET", "/run/secrets/key1"),
    ])

    @Test(arguments: [
        ("RUN curl https://user:s3cr3t@example.org/x", "RUN curl https://user:***@example.org/x"),
        ("ARG API_TOKEN=abcd1234 and more", "ARG API_TOKEN=*** and more"),
        (#"pip --password "horse battery" install"#, #"pip --password *** install"#),
        ("login --token abcdefgh; next", "login --token ***; next"),
        ("key AKIAABCDEFGHIJKLMNOP end", "key *** end"),
        ("AKIAABCDEFGHIJKLMNOP", "***"),
        ("psql hunter2hunter2@host, hunter2hunter2", "psql ***@host, ***"),
        (
            "postgresql://a:first1st@h1/db redis://:second2nd@h2", "postgresql://a:***@h1/db redis://:***@h2"
        ),
    ])
    func secretsAreTakenOut(text: String, masked: String) {
        #expect(mask.masking(text) == masked)
    }

    @Test(arguments: [
        "", "the airflow user has UID 50000", "/opt/airflow/dags", "/opt/airflow1", "cat /run/secrets/key1",
        "https://user@example.org/", "DB_PASSWORD=$OTHER", "adduser --disabled-password x", "UID 1000",
        "AKIAABCDEFGHIEXAMPLE", "SHORT_PASSWORD=abc", "日本語 e\u{301}",
        "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ])
    func everythingElseStays(text: String) {
        #expect(mask.masking(text) == text)
    }

    @Test func aWordIsASecretWhereItsNameIs() {
        #expect(mask.masking("is airflow", of: "SHORT_PASSWORD") == "is ***")
        #expect(mask.masking("is airflow", of: "AIRFLOW_HOME") == "is airflow")
        #expect(mask.masking("absent", of: "SHORT_PASSWORD") == "absent")
        #expect(mask.masking("is $DB_PASSWORD", of: "REFERENCE_PASSWORD") == "is $DB_PASSWORD")
    }

    @Test func whatIsMaskedStaysSo() {
        let once = mask.masking("A_TOKEN=abcd1234 https://u:pw123@h/ hunter2hunter2")
        #expect(mask.masking(once) == once)
    }
}
