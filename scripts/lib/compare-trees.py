#!/usr/bin/env python3
"""Compares two directory trees entry by entry and prints what differs: compare-trees.py LEFT RIGHT

Compared are type, mode, uid, gid, size, link target, device numbers, extended attributes, modification time, hard links
and the content of regular files. Exit code 0 when they are equal, 1 when not; the last line counts the entries.
"""

import hashlib
import os
import stat
import sys

SHOWN = 50


def content(path: bytes) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def attributes(path: bytes) -> dict:
    return {name: os.getxattr(path, name, follow_symlinks=False).hex() for name in os.listxattr(path, follow_symlinks=False)}


def entries(root: bytes) -> dict:
    """Every entry, the root too, by its path below the root, with everything that is compared."""
    found = {}
    names_of_inode = {}
    paths = [b""]
    while paths:
        path = paths.pop()
        place = os.path.join(root, path)
        status = os.lstat(place)
        kind = stat.S_IFMT(status.st_mode)
        described = {
            "type": oct(kind),
            "mode": oct(stat.S_IMODE(status.st_mode)),
            "uid": status.st_uid,
            "gid": status.st_gid,
            "xattrs": attributes(place),
            "mtime": status.st_mtime_ns,
        }
        if kind == stat.S_IFLNK:
            described["target"] = os.readlink(place)
        if kind in (stat.S_IFCHR, stat.S_IFBLK):
            described["device"] = (os.major(status.st_rdev), os.minor(status.st_rdev))
        if kind == stat.S_IFREG:
            described["size"] = status.st_size
            described["file"] = place
            if status.st_nlink > 1:
                names_of_inode.setdefault(status.st_ino, []).append(path)
        found[path] = described
        if kind == stat.S_IFDIR:
            paths += [os.path.join(path, name) for name in os.listdir(place)]
    for names in names_of_inode.values():
        for name in names:
            found[name]["links"] = sorted(names)
    return found


def differences(left: dict, right: dict):
    for path in sorted(left.keys() | right.keys()):
        a, b = left.get(path), right.get(path)
        if a is None or b is None:
            yield path, "only in the " + ("first" if b is None else "second")
            continue
        for field in sorted((a.keys() | b.keys()) - {"file"}):
            if a.get(field) != b.get(field):
                yield path, f"{field}: {a.get(field)!r} and {b.get(field)!r}"
        if "file" in a and "file" in b and a["size"] == b["size"] and content(a["file"]) != content(b["file"]):
            yield path, "content"


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    left, right = (entries(os.fsencode(root)) for root in sys.argv[1:])
    count = 0
    for path, what in differences(left, right):
        count += 1
        if count <= SHOWN:
            print(f"/{os.fsdecode(path)}: {what}")
    if count > SHOWN:
        print(f"… and {count - SHOWN} more")
    print(f"{len(left)} and {len(right)} entries, {count} differences")
    return 1 if count else 0


sys.exit(main())
