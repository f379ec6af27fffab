/// Follows the records of a file through the layers that wrote it, to tell which layer made a record what it is
/// and which one removed it.
struct RecordTimeline<Record: Equatable & Sendable>: Sendable {
    /// For each present record, the layer since which it has been what it is.
    private(set) var writtenBy: [[UInt8]: Int] = [:]
    /// For each record that is gone, the layer whose version of the file first lacks it.
    private(set) var removedBy: [[UInt8]: Int] = [:]
    private var records: [[UInt8]: Record] = [:]

    /// Applies the next version of the file; layers come lowest first.
    mutating func advance(to version: [[UInt8]: Record], layer: Int) {
        for (name, record) in version where records[name] != record {
            writtenBy[name] = layer
            removedBy[name] = nil
        }
        for name in records.keys where version[name] == nil {
            writtenBy[name] = nil
            removedBy[name] = layer
        }
        records = version
    }

    /// Adds the records of one more file, of which only the present version is known.
    mutating func add(_ records: [[UInt8]: Record], layer: Int) {
        for (name, record) in records where self.records.updateValue(record, forKey: name) == nil {
            writtenBy[name] = layer
        }
    }
}
