"""Line ends that git or an editor changed, told apart from tampering: the bytes differ, the lines do not."""

from __future__ import annotations

from collections.abc import Callable


def alteration(raw: bytes, as_written: Callable[[bytes], bool]) -> str:
    """Why the bytes of a file are not those that were written, in words that follow the file's name.

    as_written: whether some bytes are; it may raise ValueError for what it cannot read.
    """
    try:
        of_line_ends = b"\r\n" in raw and as_written(raw.replace(b"\r\n", b"\n"))
    except ValueError:
        of_line_ends = False
    if of_line_ends:
        return (
            "its line ends were changed to CRLF, as git does under core.autocrlf, and nothing else was; write '* -text' into the "
            "workspace's .gitattributes, delete the file and check it out again"
        )
    return "it was altered since it was written"
