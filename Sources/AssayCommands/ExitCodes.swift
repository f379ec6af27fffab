import ArgumentParser
import Checks
import Glibc
import ImageSource
import LayerArchive
import OCIModel
import Reporting
import RootFS
import Suite
import Verdict

extension AssayCommand {
    /// Serves as the process that reads layers, and ends, when the program was started for that. To be called while the
    /// process has one thread.
    public static func serveIfAsked() { ReaderMode.enterIfAsked() }

    /// Prints the version and ends the program when it is asked for nothing else: scripts ask each time before they
    /// begin, and it takes no parser of all commands.
    public static func tellVersionIfAsked() {
        guard CommandLine.arguments.dropFirst().elementsEqual(["--version"]) else { return }
        print(configuration.version)
        Glibc.exit(ExitDecision.conforming.rawValue)
    }

    /// Parses the command line, runs the command and ends the process with the code that the README promises.
    ///
    /// ArgumentParser's own codes (64 for usage, 1 for any error) would say something else.
    public static func runAndExit() async -> Never {
        // A reader that closes the pipe is no error of ours: writing then fails and ends the command.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try AssayCommand.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Glibc.exit(ExitDecision.conforming.rawValue)
        } catch {
            Glibc.exit(report(error))
        }
    }

    /// Says what went wrong on standard error and gives the exit code for it.
    private static func report(_ error: any Error) -> Int32 {
        switch error {
        case let error as CommandExit:
            if let message = error.message { Console.error(message, hint: error.hint) }
            return error.decision.rawValue
        case let error as ImageSourceError:
            Console.error(error.message, hint: error.hint)
            return (error.kind == .reference ? ExitDecision.usage : .undecided).rawValue
        case let error as SuiteError:
            Console.error(error.description, hint: nil)
            return ExitDecision.usage.rawValue
        case let error as LayerError:
            Console.error(error.message, hint: nil)
            return ExitDecision.undecided.rawValue
        case is UnpackError, is ReportError:
            Console.error("\(error)", hint: nil)
            return ExitDecision.undecided.rawValue
        default:
            let code = AssayCommand.exitCode(for: error)
            let message = AssayCommand.fullMessage(for: error)
            if code == .success {
                Console.output(message + "\n")
                return ExitDecision.conforming.rawValue
            }
            Console.standardError(message + "\n")
            return ExitDecision.usage.rawValue
        }
    }
}

/// Ends a command with a code, and a message where one is due.
struct CommandExit: Error {
    let decision: ExitDecision
    var message: String?
    var hint: String?

    init(_ decision: ExitDecision, _ message: String? = nil, hint: String? = nil) {
        self.decision = decision
        self.message = message
        self.hint = hint
    }
}
