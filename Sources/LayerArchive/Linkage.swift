/// What an ELF file tells the dynamic linker (System V gABI, "Dynamic Section").
public struct DynamicSection: Hashable, Sendable {
    /// DT_SONAME: the name that others need it by.
    public var name: [UInt8]?
    /// DT_NEEDED, in the order of the file.
    public var needed: [[UInt8]]
    /// DT_RPATH as written.
    public var rpath: [UInt8]?
    /// DT_RUNPATH as written.
    public var runpath: [UInt8]?
    /// The flag DF_1_NODEFLIB: the linker's own directories are not searched.
    public var skipsDefaultDirectories: Bool
    /// What a file shares with everything that it can be linked with.
    public var format: Format

    /// Class, byte order and machine of the ELF header.
    public struct Format: Hashable, Sendable {
        public var is64Bit: Bool
        public var isLittleEndian: Bool
        /// `e_machine`, as 62 for x86-64.
        public var machine: UInt16

        public init(is64Bit: Bool = true, isLittleEndian: Bool = true, machine: UInt16 = 62) {
            self.is64Bit = is64Bit
            self.isLittleEndian = isLittleEndian
            self.machine = machine
        }
    }

    public init(
        name: [UInt8]? = nil, needed: [[UInt8]] = [], rpath: [UInt8]? = nil, runpath: [UInt8]? = nil,
        skipsDefaultDirectories: Bool = false, format: Format = Format()
    ) {
        self.name = name
        self.needed = needed
        self.rpath = rpath
        self.runpath = runpath
        self.skipsDefaultDirectories = skipsDefaultDirectories
        self.format = format
    }
}

/// What came of looking for a file's dynamic section.
public enum Linkage: Hashable, Sendable {
    case dynamic(DynamicSection)
    /// No ELF file, or one that the dynamic linker has nothing to do with.
    case notDynamic
    /// An ELF file whose dynamic section could not be had, and why.
    case unreadable(String)
}
