extension RunRecord {
    /// The record with every duration, every time of a transcript and every port set to zero, so that two runs on
    /// the same image and suites give the same bytes. What programs of probes print stays as it is.
    public var pinningTimes: RunRecord {
        var record = self
        for image in record.images.indices {
            record.images[image].duration = 0
            for index in record.images[image].results.indices {
                record.images[image].results[index].duration = 0
            }
            record.images[image].transcripts = record.images[image].transcripts?.map(\.pinningTimes)
        }
        return record
    }
}

extension ProbeTranscript {
    fileprivate var pinningTimes: ProbeTranscript {
        var transcript = self
        transcript.duration = 0
        for index in transcript.containers.indices {
            transcript.containers[index].duration = 0
            transcript.containers[index].started = transcript.containers[index].started.map { _ in 0 }
        }
        for index in transcript.events.indices { transcript.events[index].time = 0 }
        for index in transcript.services.indices {
            transcript.services[index].port = 0
            transcript.services[index].opened = transcript.services[index].opened.map { _ in 0 }
            transcript.services[index].firstConnection = transcript.services[index].firstConnection.map { _ in
                0
            }
        }
        return transcript
    }
}
