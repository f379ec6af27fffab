#!/usr/bin/env python3
"""Writes the image of an OCI layout as a file of `docker save`.

  docker-archive.py LAYOUT FORM OUTPUT

FORM is one of
  legacy      ID/layer.tar beside HEX.json, as engines before 25 write it
  blobs       an OCI layout with a manifest.json, layers not compressed, as engines from 25 on write it
  containerd  the same with the layers as they are, as engines with the containerd image store write it
"""

import gzip
import hashlib
import io
import json
import pathlib
import sys
import tarfile
import tempfile

OCI = "application/vnd.oci.image."
NAME = "assay/reference:test"


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def compact(value) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class Layout:
    """The one image of an OCI layout."""

    def __init__(self, place: str):
        self.place = pathlib.Path(place)
        self.index = json.loads((self.place / "index.json").read_bytes())
        (self.entry,) = self.index["manifests"]
        self.manifest_bytes = self.blob(self.entry["digest"]).read_bytes()
        self.manifest = json.loads(self.manifest_bytes)
        self.config_digest = self.manifest["config"]["digest"]
        self.config_bytes = self.blob(self.config_digest).read_bytes()
        self.diff_ids = json.loads(self.config_bytes)["rootfs"]["diff_ids"]

    def blob(self, digest: str) -> pathlib.Path:
        return self.place / "blobs" / digest.replace(":", "/")

    def uncompressed(self, number: int):
        """The layer's archive as a file with its size: unpacked beside the output, never in memory."""
        plain = tempfile.TemporaryFile(dir=pathlib.Path(sys.argv[3]).parent)
        with gzip.open(self.blob(self.manifest["layers"][number]["digest"])) as packed:
            while chunk := packed.read(1 << 20):
                plain.write(chunk)
        size = plain.tell()
        plain.seek(0)
        return plain, size


class Archive:
    def __init__(self, path: str):
        self.tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)
        self.folders = set()

    def folder(self, name: str) -> None:
        if name not in self.folders:
            self.folders.add(name)
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            self.tar.addfile(info)

    def file(self, name: str, content, size: int) -> None:
        parts = name.split("/")[:-1]
        for count in range(1, len(parts) + 1):
            self.folder("/".join(parts[:count]))
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o644
        self.tar.addfile(info, content)

    def bytes(self, name: str, data: bytes) -> None:
        self.file(name, io.BytesIO(data), len(data))

    def blob(self, digest: str, data: bytes) -> None:
        self.bytes("blobs/" + digest.replace(":", "/"), data)


def write_legacy(image: Layout, archive: Archive) -> None:
    names = []
    parent = ""
    for number, diff_id in enumerate(image.diff_ids):
        # Any name does: engines make one from the chain of layers and the time.
        identity = hashlib.sha256(f"{parent} {diff_id}".encode()).hexdigest()
        header = {"id": identity} | ({"parent": parent} if parent else {})
        plain, size = image.uncompressed(number)
        with plain:
            archive.bytes(f"{identity}/VERSION", b"1.0")
            archive.bytes(f"{identity}/json", compact(header))
            archive.file(f"{identity}/layer.tar", plain, size)
        names.append(f"{identity}/layer.tar")
        parent = identity
    config = image.config_digest.removeprefix("sha256:") + ".json"
    archive.bytes(config, image.config_bytes)
    archive.bytes("manifest.json", compact([{"Config": config, "RepoTags": [NAME], "Layers": names}]))
    repository, tag = NAME.split(":")
    archive.bytes("repositories", compact({repository: {tag: parent}}))


def write_blobs(image: Layout, archive: Archive) -> None:
    layers = []
    for number, diff_id in enumerate(image.diff_ids):
        plain, size = image.uncompressed(number)
        with plain:
            archive.file("blobs/" + diff_id.replace(":", "/"), plain, size)
        layers.append({"mediaType": OCI + "layer.v1.tar", "digest": diff_id, "size": size})
    config = {
        "mediaType": OCI + "config.v1+json",
        "digest": image.config_digest,
        "size": len(image.config_bytes),
    }
    manifest = compact(
        {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": layers}
    )
    entry = {"mediaType": OCI + "manifest.v1+json", "digest": digest_of(manifest), "size": len(manifest)}
    entry["annotations"] = {
        "io.containerd.image.name": "docker.io/" + NAME,
        "org.opencontainers.image.ref.name": NAME.split(":")[1],
    }
    archive.blob(image.config_digest, image.config_bytes)
    archive.blob(entry["digest"], manifest)
    finish(archive, image, entry, layers)


def write_containerd(image: Layout, archive: Archive) -> None:
    for layer in image.manifest["layers"]:
        with image.blob(layer["digest"]).open("rb") as content:
            archive.file("blobs/" + layer["digest"].replace(":", "/"), content, layer["size"])
    archive.blob(image.config_digest, image.config_bytes)
    archive.blob(image.entry["digest"], image.manifest_bytes)
    finish(archive, image, image.entry, image.manifest["layers"])


def finish(archive: Archive, image: Layout, entry: dict, layers: list) -> None:
    index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [entry]}
    archive.bytes("index.json", compact(index))
    item = {
        "Config": "blobs/" + image.config_digest.replace(":", "/"),
        "RepoTags": [NAME],
        "Layers": ["blobs/" + layer["digest"].replace(":", "/") for layer in layers],
        "LayerSources": {layer["digest"]: layer for layer in layers},
    }
    archive.bytes("manifest.json", compact([item]))
    archive.bytes("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')


def main() -> int:
    forms = {"legacy": write_legacy, "blobs": write_blobs, "containerd": write_containerd}
    if len(sys.argv) != 4 or sys.argv[2] not in forms:
        print(__doc__, file=sys.stderr)
        return 2
    archive = Archive(sys.argv[3])
    forms[sys.argv[2]](Layout(sys.argv[1]), archive)
    archive.tar.close()
    return 0


sys.exit(main())
