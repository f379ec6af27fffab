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
            var json = JSONScanner(buffer)
            return json.list(named: "images") { json -> Range<Int>? in
                guard json.next() == UInt8(ascii: "{") else { return nil }
                let start = json.place
                return json.skipValue() ? start..<json.place : nil
            }
        }
        guard let found else { return nil }
        self.bytes = bytes
        (images, list) = found
    }

    /// - Returns: nil when a part is no part of a record that can be read.
    func decoded() -> RunRecord? {
        let rest = Data(bytes[..<list.lowerBound] + bytes[list.upperBound...])
        guard var record = try? JSONDecoder().decode(RunRecord.self, from: rest),
            (1...RunRecord.currentVersion).contains(record.version)
        else { return nil }
        let runs = Mutex([ImageRun?](repeating: nil, count: images.count))
        DispatchQueue.concurrentPerform(iterations: images.count) { index in
            let run = bytes[images[index]].withUnsafeBufferPointer { Self.run($0) }
            runs.withLock { $0[index] = run }
        }
        record.images = runs.withLock { $0.compactMap(\.self) }
        return record.images.count == images.count ? record : nil
    }

    /// The results of an image apart from the rest.
    private static func run(_ bytes: UnsafeBufferPointer<UInt8>) -> ImageRun? {
        var json = JSONScanner(bytes)
        let found = json.list(named: "results") { $0.result() }
        let rest = found.map { Data(bytes[..<$0.place.lowerBound]) + bytes[$0.place.upperBound...] }
        guard var run = try? JSONDecoder().decode(ImageRun.self, from: rest ?? Data(bytes)) else {
            return nil
        }
        if let found { run.results = found.elements }
        return run
    }
}
