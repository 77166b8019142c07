"""Answers in JSON to requests that fail."""

from __future__ import annotations

from django.http import JsonResponse


def json_error(status: int, error: str, message: str, **extra: object) -> JsonResponse:
    """`{"error": <stable code>, "message": <Russian text>, ...}`, never cached."""
    response = JsonResponse({"error": error, "message": message, **extra}, status=status)
    response["Cache-Control"] = "no-store"
    return response
