/**
 * Texts of the interface. What the real client leaves in English in the Russian interface (6.5.3, measured)
 * has no Russian text here either.
 */

const TEXTS = {
  login: ['Login', 'Авторизация'],
  welcome: ['Welcome to %s workspace'],
  user: ['Email or username'],
  password: ['Password', 'Пароль'],
  forgot: ['Forgot your password?'],
  newHere: ['New here?'],
  createAccount: ['Create an account'],
  or: ['or', 'или'],
  agree: ['By proceeding you are agreeing to our '],
  signInWith: ['Sign in with %s'],
  refused: ['User not found or incorrect password', 'Пользователь не найден, или введен неправильный пароль'],
  'error-user-is-not-activated':
    ['Before you can login, your account must be manually activated by an administrator.'],
  registerUsername: ['Register username', 'Зарегистрировать логин'],
  resetPassword: ['Reset password', 'Восстановить пароль'],
  reset: ['Reset', 'Восстановить'],
  This_email_has_already_been_used_and_has_not_been_verified__Please_change_your_password: [
    'This email has already been used and has not been verified. Please change your password.',
    'Такой адрес электронной почты уже использовался и не был подтверждён. Пожалуйста, смените ваш пароль.'],
  moved: ['Unique ID change detected'],
  whatMoved: ['Information that identifies this workspace has changed.'],
  updated: ['Configuration update'],
  newWorkspace: ['New workspace'],
  username: ['Username', 'Логин'],
  useUsername: ['Use this username', 'Использовать этот логин'],
  logout: ['Logout', 'Выйти'],
  channels: ['Channels', 'Каналы'],
  home: ['Home', 'Главная'],
  welcomeHome: ['Welcome to %s', 'Добро пожаловать в %s'],
  message: ['Message', 'Сообщение'],
  channel: ['Channel', 'Канал'],
  join: ['Join', 'Присоединиться'],
  send: ['Send', 'Отправить'],
  start: ['Start of conversation', 'Начало беседы'],
  notFound: ['Room not found', 'Комната не найдена'],
  noAccess: ['The room does not exist or you may not have access permission',
    'Эта комната не существует или у вас нет разрешения на доступ к ней'],
  readOnly: ['This room is read only', 'Этот чат доступен только для чтения'],
  preview: ['You are in preview mode'],
  joinWithPassword: ['Join with password'],
  insertPassword: ['Please insert the password'],
  anonymous: ['Sign in to start talking', 'Войдите, чтобы начать разговор'],
  mustJoin: ['You must join to view messages in this channel',
    'Вы должны присоединиться, чтобы просматривать сообщения на этом канале'],
  removed: ["You've been removed from the room %s"],
  bold: ['Bold', 'Жирный'],
  italic: ['Italic', 'Курсив'],
  strike: ['Strike', 'Зачёркнутый'],
  code: ['Inline code', 'Код в строке'],
  members: ['Members: %s', 'Участников: %s'],
  notHere: ['The stand-in does not have this page', 'У макета нет этой страницы'],
  waiting: ['Waiting for server connection…', 'Ожидание соединения с сервером…'],
};

/** Texts of system messages by the message's `t`; `%s` is the message's own text (a name or a topic). */
const SYSTEM = {
  uj: 'joined the channel', ul: 'left the channel', au: 'added %s', ru: 'removed %s', ut: 'joined the conversation',
  r: 'changed room name to %s', room_changed_topic: 'set room topic to: %s',
  room_changed_description: 'changed room description to: %s', 'room-archived': 'archived room',
  'room-unarchived': 'unarchived room', 'room-set-read-only': 'set room to read only',
  'room-removed-read-only': 'removed read only permission', 'subscription-role-added': 'set %s',
};

const CHOSEN = 'fuselage-localStorage-preferedLanguage';
let language = 'en';

/**
 * The user's language goes before the browser's, and the browser's before the server's `Language`.
 * @param {string|undefined} ofUser
 * @param {string|undefined} ofServer
 */
export function chooseLanguage(ofUser, ofServer) {
  language = ofUser || JSON.parse(localStorage.getItem(CHOSEN) ?? 'null') || navigator.language || ofServer || 'en';
  document.documentElement.lang = language.startsWith('en') ? 'en' : language.split('-')[0];
}

/** Remember the language picked on the log-in page. */
export const pickLanguage = (name) => localStorage.setItem(CHOSEN, JSON.stringify(name));

export const isRussian = () => language.startsWith('ru');

/** Locale for dates. */
export const locale = () => language;

/**
 * @param {string} key
 * @param {string} [value] put in the place of `%s`
 */
export function t(key, value = '') {
  const [english, russian] = TEXTS[key];
  const text = ((isRussian() && russian) || english).replace('%s', () => value);
  // A third language has words that nobody here knows: no test can go by them.
  return isRussian() || language.startsWith('en') ? text : `${text} [${language}]`;
}

/** Whether an error code has a text of its own. */
export const knows = (key) => Object.hasOwn(TEXTS, key);

/** @param {{t: string, msg?: string}} message */
export const systemText = ({ t: kind, msg }) => (SYSTEM[kind] ?? `${kind} %s`).replace('%s', () => msg ?? '').trim();
