/** The status line and the problem panel of a chat page. */

/** @param {string} id */
const part = (id) => document.getElementById(id);

/** @param {string} text */
export function showStatus(text) {
  part("chatStatus").textContent = text;
}

/**
 * @param {import("./chat-problems.js").Problem} problem
 * @param {() => void} retry what the button "once more" does
 */
export function showProblem(problem, retry) {
  part("chatProblemText").textContent = problem.text;
  part("chatProblemHints").replaceChildren(
    ...(problem.hints ?? []).map((hint) => {
      const item = document.createElement("li");
      item.textContent = hint;
      return item;
    }),
  );
  part("chatProblemHints").hidden = !problem.hints?.length;
  part("chatProblemLogin").hidden = !problem.login;
  part("chatProblemOpen").hidden = !problem.open;
  part("chatProblemRetry").hidden = !problem.retry;
  part("chatProblemRetry").onclick = retry;
  part("chatProblem").hidden = false;
}

export function hideProblem() {
  part("chatProblem").hidden = true;
}
