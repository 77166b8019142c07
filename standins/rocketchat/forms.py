"""A multipart body: texts by name, files as `{filename, type, content}`."""

from email import message_from_bytes, policy

from standins.rocketchat.documents import Document


def form(content_type: str, raw: bytes) -> Document:
    """The fields of a `multipart/form-data` body; empty for one that is none."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = message_from_bytes(head + raw, policy=policy.HTTP)
    fields: Document = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        filename = part.get_filename()
        kind = part.get_content_type()
        file = {"filename": filename, "type": kind, "content": content}
        fields[name] = content.decode("utf-8", "replace") if filename is None else file
    return fields
