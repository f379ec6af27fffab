// The builders of archives and images, which tests use as if they were here.
@_exported import HostileCorpus
