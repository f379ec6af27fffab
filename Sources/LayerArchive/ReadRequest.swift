import OCIModel

extension ContentPlan {
    func write(to writer: inout ByteWriter) {
        let rules = rules
        writer.integer(UInt64(rules.count))
        for rule in rules {
            switch rule.pattern {
            case .path(let path): writer.pattern(0, path.bytes)
            case .directory(let path): writer.pattern(1, path.bytes)
            case .suffix(let bytes): writer.pattern(2, bytes)
            case .infix(let bytes): writer.pattern(3, bytes)
            }
            writer.integer(Int64(rule.maximumBytes))
            writer.flag(rule.keepsVersions)
            writer.flag(rule.keeps == .linkage)
        }
    }

    init(from reader: inout ByteReader) throws {
        var rules: [Rule] = []
        for _ in 0..<(try reader.count(width: 19)) {
            let tag = try reader.integer(UInt8.self)
            let bytes = Array(try reader.counted())
            let pattern: Rule.Pattern
            switch tag {
            case 0: pattern = .path(ImagePath(bytes))
            case 1: pattern = .directory(ImagePath(bytes))
            case 2: pattern = .suffix(bytes)
            case 3: pattern = .infix(bytes)
            default: throw MalformedBytes()
            }
            guard let maximum = Int(exactly: try reader.integer(Int64.self)) else { throw MalformedBytes() }
            let keepsVersions = try reader.flag()
            let keeps: Rule.Kept = try reader.flag() ? .linkage : .content
            rules.append(
                Rule(pattern, maximumBytes: maximum, keepsVersions: keepsVersions, keeps: keeps))
        }
        self.init(rules)
    }
}

extension ByteWriter {
    fileprivate mutating func pattern(_ tag: UInt8, _ bytes: [UInt8]) {
        integer(tag)
        counted(bytes)
    }
}

extension Limits {
    func write(to writer: inout ByteWriter) {
        for limit in Limit.allCases { writer.integer(self[limit]) }
    }

    init(from reader: inout ByteReader) throws {
        self.init()
        for limit in Limit.allCases { self[limit] = try reader.integer() }
    }
}

/// What the process that reads layers is asked to read. The blobs' files come as open descriptors.
struct ReadRequest: Sendable {
    let inputs: [LayerInput]
    let plan: ContentPlan
    let limits: Limits
    /// Whether no byte is looked at twice, as of `Indexing`.
    let inOnePass: Bool

    /// The files of the blobs, each once.
    var files: [RandomAccessFile] {
        var seen: Set<ObjectIdentifier> = []
        return inputs.map(\.blob.file).filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    /// Its serial form, in which files are positions in `files`.
    var serialized: [UInt8] {
        let files = files
        var positions: [ObjectIdentifier: UInt32] = [:]
        for (position, file) in files.enumerated() { positions[ObjectIdentifier(file)] = UInt32(position) }
        var writer = ByteWriter()
        plan.write(to: &writer)
        limits.write(to: &writer)
        writer.flag(inOnePass)
        writer.integer(UInt64(files.count))
        for file in files { writer.text(file.name) }
        writer.integer(UInt64(inputs.count))
        for input in inputs {
            writer.integer(positions[ObjectIdentifier(input.blob.file)] ?? 0)
            writer.integer(input.blob.offset)
            writer.integer(input.blob.size)
            writer.optional(input.digest) { $0.digest($1) }
            writer.digest(input.diffID)
            writer.text(input.name)
        }
        return writer.bytes
    }

    /// - Parameter file: opens the file at a position; its name comes with the request.
    init(serialized bytes: UnsafeRawBufferPointer, file: (Int, String) throws -> RandomAccessFile) throws {
        var reader = ByteReader(bytes)
        plan = try ContentPlan(from: &reader)
        limits = try Limits(from: &reader)
        inOnePass = try reader.flag()
        var files: [RandomAccessFile] = []
        for position in 0..<(try reader.count(width: 8)) {
            files.append(try file(position, String(decoding: try reader.counted(), as: UTF8.self)))
        }
        var inputs: [LayerInput] = []
        for _ in 0..<(try reader.count(width: 20)) {
            let position = Int(try reader.integer(UInt32.self))
            let offset = try reader.integer(Int64.self)
            let size = try reader.integer(Int64.self)
            guard files.indices.contains(position) else { throw MalformedBytes() }
            let blob = Blob(file: files[position], offset: offset, size: size)
            let digest = try reader.optional { try $0.digest() }
            let diffID = try reader.digest()
            let name = String(decoding: try reader.counted(), as: UTF8.self)
            inputs.append(LayerInput(blob: blob, digest: digest, diffID: diffID, name: name))
        }
        try reader.end()
        self.inputs = inputs
    }

    init(inputs: [LayerInput], plan: ContentPlan, limits: Limits, inOnePass: Bool = false) {
        self.inputs = inputs
        self.plan = plan
        self.limits = limits
        self.inOnePass = inOnePass
    }
}
