// @rocket.chat/ddp-client, the socket of Rocket.Chat's own web client from 8 on, as its users call it.
// In: the task as JSON on standard input. Out: what it saw, as JSON on standard output.
const { createHash } = require('node:crypto');
const { DDPSDK } = require('@rocket.chat/ddp-client');
const { task, report } = require('./task.cjs');

// Its README: "if you want to use it on NodeJS, you need to offer a WebSocket implementation".
globalThis.WebSocket ??= require('ws');

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

report(async (saw) => {
    const { url, username, password, room, group, invited } = await task();

    const sdk = await DDPSDK.createAndConnect(url);
    saw.refused = await sdk.account.loginWithPassword(username, sha256('wrong')).then(
        () => 'signed in',
        ({ reason }) => reason,
    );
    await sdk.account.loginWithPassword(username, sha256(password));
    saw.signed_in = [sdk.account.uid, sdk.account.user.username];

    const made = (await sdk.rest.post('/v1/channels.create', { name: room })).channel;
    await sdk.rest.post('/v1/groups.create', { name: group });
    saw.rooms = (await sdk.rest.get('/v1/channels.list', { count: 0 })).channels.map(({ name }) => name);
    saw.joined = (await sdk.call('rooms/get', { $date: 0 })).update.map(({ name }) => name);

    let listening;
    const heard = new Promise((resolve) => {
        listening = sdk.stream('room-messages', made._id, (message) => message.msg === 'привет' && resolve(message));
    });
    await listening.ready();
    const { message: posted } = await sdk.rest.post('/v1/chat.sendMessage', {
        message: { rid: made._id, msg: 'привет' },
    });
    const { _id, msg, u, ts } = await heard;
    saw.heard = { msg, by: u.username, same: _id === posted._id, dated: Number.isInteger(ts.$date) };
    listening.stop();

    let changes;
    const added = new Promise((resolve) => {
        changes = sdk.stream('notify-user', `${sdk.account.uid}/subscriptions-changed`, (action, row) => {
            if (row.rid === invited) {
                resolve(action);
            }
        });
    });
    await changes.ready();
    await sdk.call('joinRoom', invited);
    saw.added = await added;

    await sdk.call('sendMessage', { rid: made._id, msg: 'ещё' });
    const history = await sdk.call('loadHistory', made._id, null, 50, null, false);
    saw.history = history.messages.map((message) => message.msg);
    saw.unknown = await sdk.call('temp_no_such_method').then(
        () => 'answered',
        ({ error }) => error,
    );

    const { uid, user } = sdk.account;
    await sdk.account.logout();
    saw.afterwards = (
        await fetch(`${url}/api/v1/me`, { headers: { 'X-Auth-Token': user.token, 'X-User-Id': uid } })
    ).status;
});
