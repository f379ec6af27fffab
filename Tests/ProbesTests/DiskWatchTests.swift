import Foundation
import Synchronization
import Testing

@testable import Probes

@Suite("What nothing else bounds is watched") struct DiskWatchTests {
    @Test("more than the limit is seen, once, also after sizes that could not be told")
    func excess() async throws {
        let sizes = Mutex<[Int64?]>([nil, 10, nil, 11, 12])
        let (calls, call) = AsyncStream<Void>.makeStream()
        let watch = DiskWatch(limit: 10, every: .milliseconds(1)) {
            sizes.withLock { $0.isEmpty ? 0 : $0.removeFirst() }
        } onExcess: {
            call.yield()
            call.finish()
        }
        var count = 0
        for await _ in calls { count += 1 }
        #expect(count == 1)
        #expect(watch.isExceeded)
        #expect(sizes.withLock { $0 } == [12])
    }

    @Test("what stays within the limit, or cannot be told, is no excess")
    func withinLimit() async throws {
        let (looks, look) = AsyncStream<Void>.makeStream()
        let left = Mutex(20)
        let watch = DiskWatch(limit: 10, every: .milliseconds(1)) {
            let count = left.withLock { left in
                left -= 1
                return left
            }
            if count == 0 { look.finish() }
            return count % 2 == 0 ? nil : 10
        }
        for await _ in looks {}
        #expect(!watch.isExceeded)
        watch.stop()
    }

    @Test("files are measured by what they take, those of directories below too")
    func usage() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "assay-du-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["one", "two/below"] {
            let place = folder.appending(path: name)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            try Data(count: 1 << 20).write(to: place.appending(path: "file"))
        }
        let paths = ["one", "two"].map { folder.appending(path: $0).path }
        let bytes = try #require(await DiskWatch.usage(of: paths))
        #expect((2 << 20...3 << 20).contains(bytes))
        #expect(await DiskWatch.usage(of: [folder.appending(path: "absent").path]) == 0)
    }
}
