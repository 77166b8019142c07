// @rocket.chat/sdk, the client of Rocket.Chat's mobile applications, as its users call it.
// In: the task as JSON on standard input. Out: what it saw, as JSON on standard output.
const { Rocketchat } = require('@rocket.chat/sdk');
const { task, report } = require('./task.cjs');

// The package logs by itself; an error reaches us as a rejection.
const silent = () => null;
const logger = { debug: silent, info: silent, warning: silent, warn: silent, error: silent };

report(async (saw) => {
    const { url, username, password, room, group, invited } = await task();

    const refused = new Rocketchat({ host: url, protocol: 'ddp', logger });
    saw.refused = await refused.login({ user: username, password: 'wrong' }).then(
        () => 'signed in',
        (answer) => answer.data.error,
    );

    const client = new Rocketchat({ host: url, protocol: 'ddp', logger });
    await client.connect();
    const { id } = await client.login({ user: username, password });
    saw.signed_in = [id, client.currentLogin.username];

    const made = (await client.post('channels.create', { name: room })).channel;
    await client.post('groups.create', { name: group });
    saw.rooms = (await client.get('channels.list', { count: 0 })).channels.map(({ name }) => name);
    saw.joined = (await client.methodCall('rooms/get', { $date: 0 })).update.map(({ name }) => name);

    const heard = new Promise((resolve) => {
        client.onMessage((message) => message.msg === 'привет' && resolve(message));
    });
    await client.subscribeRoom(made._id);
    await client.subscribeNotifyAll();
    await client.subscribeLoggedNotify();
    const posted = await client.sendMessage('привет', made._id);
    const { _id, msg, u, ts } = await heard;
    saw.heard = { msg, by: u.username, same: _id === posted._id, dated: ts instanceof Date && !Number.isNaN(+ts) };

    const added = new Promise((resolve) => {
        client.onStreamData('stream-notify-user', ({ fields: { eventName, args: [action, row] } }) => {
            if (eventName.endsWith('/subscriptions-changed') && row.rid === invited) {
                resolve(action);
            }
        });
    });
    await client.subscribeNotifyUser();
    await client.joinRoom({ rid: invited });
    saw.added = await added;

    await client.methodCall('sendMessage', { rid: made._id, msg: 'ещё' });
    const history = await client.methodCall('loadHistory', made._id, null, 50, null, false);
    saw.history = history.messages.map((message) => message.msg);
    saw.unknown = await client.methodCall('temp_no_such_method').then(
        () => 'answered',
        ({ error }) => error,
    );

    const { authToken } = client.currentLogin;
    await client.logout();
    saw.afterwards = (
        await fetch(`${url}/api/v1/me`, { headers: { 'X-Auth-Token': authToken, 'X-User-Id': id } })
    ).status;
});
