// What a program is told and how it reports: JSON in, JSON out; status 1 with the reason when it failed.
const PATIENCE_MS = 30_000;

exports.task = async () => {
    let text = '';
    for await (const part of process.stdin) {
        text += part;
    }
    return JSON.parse(text);
};

// `program` fills `saw`. The clients keep timers and sockets, so the process is ended by hand, and a push
// that never comes would be waited for without end: then it is said what was seen before.
exports.report = (program) => {
    const saw = {};
    const failed = (why) =>
        process.stderr.write(`${why}\nseen so far: ${JSON.stringify(saw)}\n`, () => process.exit(1));
    setTimeout(() => failed(`nothing came for ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
    program(saw).then(
        () => process.stdout.write(JSON.stringify(saw), () => process.exit(0)),
        (error) => failed(error instanceof Error ? error.stack : JSON.stringify(error)),
    );
};
