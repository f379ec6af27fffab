#!/usr/bin/env python3
"""Makes an OCI layout with one image of one layer out of an archive: single-layer.py ROOT.tar LAYOUT"""

import hashlib
import json
import os
import pathlib
import shutil
import sys

OCI = "application/vnd.oci.image."


def store(layout: pathlib.Path, data: bytes) -> dict:
    digest = hashlib.sha256(data).hexdigest()
    (layout / "blobs/sha256" / digest).write_bytes(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    archive, layout = map(pathlib.Path, sys.argv[1:])
    (layout / "blobs/sha256").mkdir(parents=True)
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    shutil.copyfile(archive, layout / "blobs/sha256" / digest)
    layer = {"mediaType": OCI + "layer.v1.tar", "digest": "sha256:" + digest, "size": os.path.getsize(archive)}
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["bash"], "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        "history": [{"created_by": "mmdebstrap bookworm"}],
    }
    described = {"mediaType": OCI + "config.v1+json"} | store(layout, json.dumps(config).encode())
    manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": described, "layers": [layer]}
    entry = {"mediaType": OCI + "manifest.v1+json"} | store(layout, json.dumps(manifest).encode())
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return 0


sys.exit(main())
