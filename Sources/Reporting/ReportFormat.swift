import Verdict

/// A form in which a run record can be written. Each has a file of its own, whose `form` is its entry below.
public enum ReportFormat: String, CaseIterable, Sendable {
    /// For a reader at a terminal: the verdict first, fails grouped by the step that caused them.
    case text
    /// Markdown for the summary of a GitHub job.
    case markdown
    /// JUnit XML, as read by Jenkins, GitLab and the GitHub actions that show test results.
    case junit
    /// One page for a browser, with everything in it: verdict, checks, layers, packages, probes.
    case html
    /// The part of it that the schema of Jenkins' xUnit plugin and of pytest allows.
    case junitStrict = "junit-strict"
    /// SARIF 2.1.0, for code scanning.
    case sarif
    /// Workflow commands that GitHub Actions shows as annotations.
    case github
    /// GitLab's code quality report.
    case gitlab
    /// The Test Anything Protocol, version 13.
    case tap
    /// Metrics for Prometheus.
    case openmetrics
    /// The run record itself: the one form that can be read back.
    case json

    private var form: ReportForm {
        switch self {
        case .text: TextReport.form
        case .markdown: MarkdownReport.form
        case .junit: JUnitReport.form
        case .html: HTMLReport.form
        case .junitStrict: JUnitReport.strictForm
        case .sarif: SARIFReport.form
        case .github: GitHubReport.form
        case .gitlab: GitLabReport.form
        case .tap: TAPReport.form
        case .openmetrics: OpenMetricsReport.form
        case .json: JSONReport.form
        }
    }

    /// One line for help texts.
    public var summary: String { form.summary }

    /// Extension of a file in this format, without the dot; no two formats have the same.
    public var fileExtension: String { form.fileExtension }

    /// Bytes that the result of a check takes, about: who writes several formats beside one another begins with the
    /// largest.
    public var bytesPerResult: Int { form.bytesPerResult }

    /// The record in this format, as UTF-8 that ends with a newline.
    ///
    /// The same record and options give the same bytes.
    ///
    /// - Throws: `ReportError` of kind `notRepresentable`.
    public func render(
        _ record: RunRecord, options: RenderOptions = RenderOptions()
    ) throws(ReportError) -> [UInt8] {
        try form.render(record, options)
    }
}

/// What a format is: the one thing that its file has to give.
struct ReportForm: Sendable {
    /// One line for help texts.
    var summary: String
    /// Extension of a file, without the dot.
    var fileExtension: String
    /// About.
    var bytesPerResult: Int
    var render: @Sendable (RunRecord, RenderOptions) throws(ReportError) -> [UInt8]
}

/// What a report is made for. Width, colour and verbosity are for the text report.
public struct RenderOptions: Hashable, Sendable {
    /// Columns of the terminal. Less than 40 is taken as 40.
    public var width: Int
    /// Whether ANSI SGR sequences may be used. They only underline what words and symbols say already.
    public var color: Bool
    /// Whether every pass, every parameter, also those with their defaults, and every finding is listed, and no
    /// value is shortened.
    public var verbose: Bool
    /// The lightest severity whose fail counts. Has to be the one that the exit code is decided by.
    public var failOn: Severity
    /// The file at which SARIF, GitHub and GitLab show findings; nil for the line of the suite.
    public var anchor: RepositoryFile?

    public init(
        width: Int = 100, color: Bool = false, verbose: Bool = false, failOn: Severity = .warning,
        anchor: RepositoryFile? = nil
    ) {
        self.width = width
        self.color = color
        self.verbose = verbose
        self.failOn = failOn
        self.anchor = anchor
    }
}
