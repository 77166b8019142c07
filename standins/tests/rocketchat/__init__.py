"""Contract of Rocket.Chat. The modules that tests share say what they compared, as tests do."""

import pytest

pytest.register_assert_rewrite(
    *(f"{__name__}.{name}" for name in ("chat", "node_programs", "provider", "web_client", "web_client_rows"))
)
