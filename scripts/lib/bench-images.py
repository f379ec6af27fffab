#!/usr/bin/env python3
"""Makes OCI layouts with one image each, tag "bench", for measurements:

  bench-images.py layer ARCHIVE.tar LAYOUT       of one layer, that archive as it is
  bench-images.py files NUMBER LAYOUT            of one gzip layer, with so many empty files, 1,000 a directory
  bench-images.py zeros BYTES LAYOUT             of one gzip layer, with one file of so many zero bytes
  bench-images.py more LAYOUT:TAG LAYOUT         that image with one more layer, of one small file
"""

import gzip
import hashlib
import json
import os
import pathlib
import shutil
import sys

OCI = "application/vnd.oci.image."


def member(name: str, size: int = 0, kind: bytes = b"0", mode: int = 0o644) -> bytes:
    """The header of a member in the ustar format (POSIX pax, "ustar Interchange Format"), of root, of one moment."""
    header = bytearray(512)

    def put(offset: int, text: bytes) -> None:
        header[offset : offset + len(text)] = text

    put(0, name.encode())
    put(100, b"%07o\0%07o\0%07o\0%011o\0%011o\0        " % (mode, 0, 0, size, 1_700_000_000))
    put(156, kind)
    put(257, b"ustar\x0000")
    put(148, b"%06o\0 " % sum(header))
    return bytes(header)


class Layer:
    """A gzip layer that is written as a blob, with its digest and its diff ID."""

    def __init__(self, layout: pathlib.Path):
        self.folder = layout / "blobs/sha256"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / "part"
        self.file = self.path.open("wb")
        self.compressed = gzip.GzipFile(filename="", fileobj=self.file, mode="wb", compresslevel=1, mtime=0)
        self.diff_id = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.compressed.write(data)
        self.diff_id.update(data)

    def end(self) -> tuple[dict, str]:
        self.write(bytes(1024))
        self.compressed.close()
        self.file.close()
        return blob(self.path, "layer.v1.tar+gzip"), "sha256:" + self.diff_id.hexdigest()


def blob(path: pathlib.Path, kind: str) -> dict:
    """Gives a file of the layout's blobs its name."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    path.rename(path.with_name(digest))
    return {"mediaType": OCI + kind, "digest": "sha256:" + digest, "size": os.path.getsize(path.with_name(digest))}


def text_blob(layout: pathlib.Path, document: dict, kind: str) -> dict:
    path = layout / "blobs/sha256/part"
    path.write_text(json.dumps(document))
    return blob(path, kind)


def finish(layout: pathlib.Path, layers: list[dict], config: dict) -> None:
    described = text_blob(layout, config, "config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": described, "layers": layers}
    entry = text_blob(layout, manifest, "manifest.v1+json") | {
        "annotations": {"org.opencontainers.image.ref.name": "bench"}
    }
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def one_layer(layout: pathlib.Path, layer: dict, diff_id: str) -> None:
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["bash"], "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created_by": "bench-images"}],
    }
    finish(layout, [layer], config)


def archive(layout: pathlib.Path, source: str) -> None:
    (layout / "blobs/sha256").mkdir(parents=True)
    shutil.copyfile(source, layout / "blobs/sha256/part")
    layer = blob(layout / "blobs/sha256/part", "layer.v1.tar")
    one_layer(layout, layer, layer["digest"])


def files(layout: pathlib.Path, number: int) -> None:
    layer = Layer(layout)
    for index in range(number):
        folder = f"data/{index // 1000:04}"
        if index % 1000 == 0:
            layer.write(member(folder + "/", kind=b"5", mode=0o755))
        layer.write(member(f"{folder}/file-{index:07}"))
    one_layer(layout, *layer.end())


def zeros(layout: pathlib.Path, size: int) -> None:
    layer = Layer(layout)
    layer.write(member("zeros", size))
    piece = bytes(1 << 20)
    for _ in range(size // len(piece)):
        layer.write(piece)
    one_layer(layout, *layer.end())


def more(layout: pathlib.Path, source: str) -> None:
    folder = pathlib.Path(source.rsplit(":", 1)[0])
    (layout / "blobs").mkdir(parents=True)
    shutil.copytree(folder / "blobs/sha256", layout / "blobs/sha256", copy_function=os.link)

    def document(descriptor: dict) -> dict:
        return json.loads((folder / "blobs" / descriptor["digest"].replace(":", "/")).read_text())

    (descriptor,) = json.loads((folder / "index.json").read_text())["manifests"]
    manifest = document(descriptor)
    config = document(manifest["config"])
    layer = Layer(layout)
    content = b"one more layer\n"
    layer.write(member("opt/one-more", len(content)) + content.ljust(512, b"\0"))
    described, diff_id = layer.end()
    config["rootfs"]["diff_ids"].append(diff_id)
    config.setdefault("history", []).append({"created_by": "RUN echo one more layer >/opt/one-more"})
    finish(layout, manifest["layers"] + [described], config)


def main() -> int:
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    kind, source, layout = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    if kind == "layer":
        archive(layout, source)
    elif kind == "files":
        files(layout, int(source))
    elif kind == "zeros":
        zeros(layout, int(source))
    elif kind == "more":
        more(layout, source)
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


sys.exit(main())
