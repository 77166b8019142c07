"""The suite's table of contents. Everything a test may ask for, by the plugin that provides it.

fixtures.selection  `-m e2e` reads tests/e2e/ only, and so on
fixtures.options    command line: --stack, programs of an embedded stack, addresses of an attached one
fixtures.features   `@pytest.mark.feature(…)`: skipped where the site has no such thing
fixtures.infrastructure  a service that dies ends the run; an error of its own in JUnit's file
fixtures.stack      `stack`, `contract` (at the stack's addresses), `chat_data`, `site_data`, `writable`
fixtures.attached   not a plugin: what becomes of an attached stack before its tests
fixtures.users      `chat_admin`, `site`, `temp_user`, `temp_member`
fixtures.browser    `person` (somebody signed in to the site, in a browser context of their own), `visitor`
fixtures.lending    `lender`: browser contexts that outlive a test, nobody's each time; `--fresh-browsers`
fixtures.residents  `at_home` (the integrated page of somebody signed in), `returning` (a new tab of theirs)
tests.inner         `subject`, a file for the tests of a run inside a test; `interruptible`
fixtures.evidence   on failure: screenshot, trace, log lines of the test's time span, the frame's URL chain
fixtures.network    not a plugin: HTTP archives of the browsers, and what their WebSockets said
fixtures.diagnosis  on failure: the cause that doctor finds, once above the tracebacks; `--no-diagnosis`
fixtures.secrecy    on failure: no secret in what is printed; last, so that it sees what the others add
fixtures.second_attempt  after the run: a failed test once more, to tell a flake from a defect
fixtures.order      `--order-seed`, `--shard`, `--repeat-changed`
fixtures.quarantine  quarantine.toml: tests that may fail for a while
fixtures.unproven  at the end: what the run did not prove
fixtures.report     `proves`; at the end: run.json and the run's page
"""

from bootstrap import bytecode

# Before the plugins below are read, whose assertions pytest rewrites.
bytecode.keep()

pytest_plugins = [
    "fixtures.selection",
    "fixtures.options",
    "fixtures.features",
    "fixtures.infrastructure",
    "fixtures.stack",
    "fixtures.users",
    "fixtures.evidence",
    "fixtures.diagnosis",
    "fixtures.second_attempt",
    "fixtures.order",
    "fixtures.quarantine",
    "fixtures.unproven",
    "fixtures.report",
    "fixtures.lending",
    "fixtures.browser",
    "fixtures.residents",
    "tests.inner",
    "fixtures.secrecy",
]
