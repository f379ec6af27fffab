import Dispatch
import FoundationEssentials
import Synchronization
import Verdict

/// The document of a record, its images apart from the rest, so that they are decoded beside one another.
///
/// Only told apart where that is plain; everything else, and whatever is wrong, is for who decodes the whole document.
struct RecordParts {
    private let bytes: [UInt8]
    /// What is between the brackets of the list `images`.
    private let list: Range<Int>
    private let images: [Range<Int>]

    /// - Returns: nil when the bytes are no object in UTF-8 that has objects in one list `images`.
    init?(_ bytes: [UInt8]) {
        let found = bytes.withUnsafeBufferPointer { buffer in
            var scanner = Scanner(bytes: buffer)
            return scanner.images()
        }
        guard let found else { return nil }
        self.bytes = bytes
        (list, images) = found
    }

    /// - Returns: nil when a part is no part of a record that can be read.
    func decoded() -> RunRecord? {
        let rest = Data(bytes[..<list.lowerBound] + bytes[list.upperBound...])
        guard var record = try? JSONDecoder().decode(RunRecord.self, from: rest),
            (1...RunRecord.currentVersion).contains(record.version)
        else { return nil }
        let runs = Mutex([ImageRun?](repeating: nil, count: images.count))
        DispatchQueue.concurrentPerform(iterations: images.count) { index in
            let run = try? JSONDecoder().decode(ImageRun.self, from: Data(bytes[images[index]]))
            runs.withLock { $0[index] = run }
        }
        record.images = runs.withLock { $0.compactMap(\.self) }
        return record.images.count == images.count ? record : nil
    }

    /// Steps over values without looking into them: whether they are right is for the decoder to say.
    private struct Scanner {
        let bytes: UnsafeBufferPointer<UInt8>
        private var place = 0

        init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

        mutating func images() -> (list: Range<Int>, images: [Range<Int>])? {
            var found: (list: Range<Int>, images: [Range<Int>])?
            guard skip("{") else { return nil }
            repeat {
                // A key with an escape may be another way to write the same.
                guard let key = skipString(), !bytes[key].contains(UInt8(ascii: "\\")), skip(":") else {
                    return nil
                }
                if bytes[key].elementsEqual("images".utf8) {
                    guard found == nil, let (list, images) = objects() else { return nil }
                    found = (list, images)
                } else if !skipValue() {
                    return nil
                }
            } while skip(",")
            return skip("}") ? found : nil
        }

        private mutating func objects() -> (list: Range<Int>, objects: [Range<Int>])? {
            guard skip("[") else { return nil }
            let start = place
            if skip("]") { return (start..<place - 1, []) }
            var objects: [Range<Int>] = []
            repeat {
                guard next() == UInt8(ascii: "{") else { return nil }
                let start = place
                guard skipValue() else { return nil }
                objects.append(start..<place)
            } while skip(",")
            return skip("]") ? (start..<place - 1, objects) : nil
        }

        /// The byte after white space (RFC 8259, section 2).
        private mutating func next() -> UInt8? {
            while place < bytes.count {
                switch bytes[place] {
                case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): place += 1
                default: return bytes[place]
                }
            }
            return nil
        }

        private mutating func skip(_ sign: Unicode.Scalar) -> Bool {
            guard next() == UInt8(ascii: sign) else { return false }
            place += 1
            return true
        }

        /// - Returns: where the bytes between the quotation marks are.
        private mutating func skipString() -> Range<Int>? {
            guard skip("\"") else { return nil }
            let start = place
            while place < bytes.count {
                switch bytes[place] {
                case UInt8(ascii: "\""):
                    place += 1
                    return start..<place - 1
                case UInt8(ascii: "\\"): place += 2
                default: place += 1
                }
            }
            return nil
        }

        private mutating func skipValue() -> Bool {
            var depth = 0
            while let byte = next() {
                switch byte {
                case UInt8(ascii: "\""):
                    if skipString() == nil { return false }
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    place += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return true }
                    depth -= 1
                    place += 1
                case UInt8(ascii: ","):
                    if depth == 0 { return true }
                    place += 1
                // It would be taken for a document in UTF-16.
                case 0: return false
                default: place += 1
                }
            }
            return false
        }
    }
}
