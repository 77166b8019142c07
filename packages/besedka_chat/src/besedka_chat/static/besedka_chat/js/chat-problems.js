/**
 * What can go wrong between page and chat, in words. `hints` name Rocket.Chat's settings to check.
 * @typedef {{text: string, hints?: string[], login?: boolean, retry?: boolean, open?: boolean}} Problem
 */

const COMMANDS = [
  "Iframe_Integration_receive_enable = true",
  `Iframe_Integration_receive_origin = ${window.location.origin}`,
];

/** @type {Record<string, Problem>} */
export const PROBLEMS = {
  silent: {
    text: "Чат молчит: за отведённое время от него не пришло ни одного события. Проверьте, что сервер чата запущен, и настройки Rocket.Chat:",
    hints: [
      "Iframe_Restrict_Access = false (иначе X-Frame-Options не пускает чат в окно)",
      "Iframe_Integration_send_enable = true",
      `Iframe_Integration_send_target_origin = ${window.location.origin}`,
      "адрес чата: тот же, что Site_Url, и тот же узел, что у сайта (localhost и 127.0.0.1 различаются)",
    ],
    retry: true,
    open: true,
  },
  proved: { text: "Чат так работать не может. Сайт это проверил:", retry: true, open: true },
  stuck: {
    text: "Чат запускается, но не сообщает, вошёл ли пользователь. Если это не пройдёт само, загляните в журнал чата.",
    retry: true,
    open: true,
  },
  commandIgnored: {
    text: "Чат не выполнил команду входа. Проверьте настройки Rocket.Chat:",
    hints: [
      ...COMMANDS,
      "сервис OAuth включён (Accounts_OAuth_Custom-… = true), имя сервиса строчными буквами",
      "Accounts_OAuth_Custom-…-login_style = redirect",
    ],
    retry: true,
    open: true,
  },
  tokenIgnored: {
    text: "Чат не принял переданный вход. Проверьте настройки Rocket.Chat:",
    hints: COMMANDS,
    retry: true,
    open: true,
  },
  noLogin: {
    text: "Вход начат, но чат его пока не подтвердил.",
    hints: ["Accounts_OAuth_Custom-…-url: адрес сайта, видимый с сервера чата"],
    retry: true,
    open: true,
  },
  refused: {
    text:
      "Чат дважды вернулся с сайта, но не вошёл. Подождите полминуты и попробуйте ещё раз: чат принимает не больше " +
      "пяти входов за десять секунд с одного адреса. Если не поможет, администратору чата стоит проверить в Rocket.Chat:",
    hints: [
      "Accounts_OAuth_Custom-…-id и -secret: те же, что на сайте",
      "Accounts_OAuth_Custom-…-token_path и -identity_path, адрес сайта виден с сервера чата",
      "Accounts_OAuth_Custom-…-merge_users и -merge_users_distinct_services = true",
      "Accounts_TwoFactorAuthentication_Enabled = false (двухфакторная проверка отклоняет такие входы)",
    ],
    retry: true,
    open: true,
  },
  notAsked: {
    text: "Чат не вошёл сам. Администратору стоит проверить:",
    hints: [
      "Accounts_iframe_enabled = true, Accounts_iframe_url и Accounts_Iframe_api_url: адреса этого сайта",
      "Accounts_Iframe_api_method: GET или POST",
      "на сайте: BESEDKA_CHAT['SSO'] = 'iframe-auth', и CHAT_URL: тот адрес, по которому открыт чат",
      "сайт и чат на одном домене: иначе браузер не отдаёт сайту его cookie",
    ],
    retry: true,
    open: true,
  },
  authorize: {
    text: "Сайт не дал чату войти: в окне показана страница ошибки OAuth. Сверьте настройки Rocket.Chat с приложением на сайте:",
    hints: [
      "Accounts_OAuth_Custom-…-id",
      "Accounts_OAuth_Custom-…-scope",
      "Site_Url: из него строится адрес возврата",
      "на сайте: manage.py ensure_oauth_application",
    ],
    retry: true,
    open: true,
  },
  logoutIgnored: {
    text: "Чат открыт под другим пользователем и не выполнил команду выхода. Проверьте настройки Rocket.Chat:",
    hints: [...COMMANDS, "журнал чата: не ответил ли его сервер на выход ошибкой"],
    retry: true,
    open: true,
  },
  tooOften: {
    text: "Чат слишком часто выходит из учётной записи. Автоматический вход остановлен.",
    retry: true,
    open: true,
  },
  siteSilent: { text: "Сайт не отвечает на вопрос, вошли ли вы. Проверьте соединение.", retry: true },
  siteSignedOut: { text: "Вы вышли с сайта. Войдите снова, и чат откроется.", login: true },
};

/** Thrown by `command()` when the site could not provide one. */
export class SignInProblem extends Error {
  /**
   * @param {Problem} problem
   * @param {{retryAfter?: number | null, signedOut?: boolean}} [more] seconds after which to try again
   */
  constructor(problem, more = {}) {
    super(problem.text);
    this.problem = problem;
    this.retryAfter = more.retryAfter ?? null;
    this.signedOut = more.signedOut ?? false;
  }
}
