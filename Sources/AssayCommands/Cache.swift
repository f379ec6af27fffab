/// What is kept between runs.
enum Cache {
    /// By the XDG Base Directory Specification.
    static var directory: String {
        let home = Console.environment("HOME") ?? "/root"
        return (Console.environment("XDG_CACHE_HOME") ?? "\(home)/.cache") + "/assay"
    }
}
