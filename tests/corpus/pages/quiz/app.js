"use strict";

/** One quiz: its questions, what was answered, and where one stands. */
class Quiz {
  constructor(questions) {
    this.questions = questions;
    this.given = new Map();
    this.at = 0;
  }

  get current() {
    return this.questions[this.at];
  }

  get finished() {
    return this.given.size === this.questions.length;
  }

  get score() {
    let score = 0;
    for (const question of this.questions) {
      if (this.isRight(question)) {
        score += question.points;
      }
    }
    return score;
  }

  get best() {
    return this.questions.reduce((sum, question) => sum + question.points, 0);
  }

  isRight(question) {
    const answer = this.given.get(question.id);
    return answer !== undefined && question.answers[answer].right;
  }

  answer(number) {
    if (!this.given.has(this.current.id)) {
      this.given.set(this.current.id, number);
    }
  }

  move(step) {
    const last = this.questions.length - 1;
    this.at = Math.min(Math.max(this.at + step, 0), last);
  }
}

function shuffled(items, random = Math.random) {
  const copy = [...items];
  for (let at = copy.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [copy[at], copy[other]] = [copy[other], copy[at]];
  }
  return copy;
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") {
      made.textContent = value;
    } else if (key.startsWith("on")) {
      made.addEventListener(key.slice(2), value);
    } else {
      made.setAttribute(key, value);
    }
  }
  made.append(...children);
  return made;
}

function answerButton(quiz, question, answer, number, redraw) {
  const given = quiz.given.get(question.id);
  const button = element("button", {
    type: "button",
    text: answer.text,
    onclick: () => {
      quiz.answer(number);
      redraw();
    },
  });
  if (given !== undefined) {
    button.disabled = true;
    if (answer.right) {
      button.dataset.state = "right";
    } else if (given === number) {
      button.dataset.state = "wrong";
    }
  }
  return element("li", {}, button);
}

function drawQuestion(quiz, redraw) {
  const question = quiz.current;
  const box = document.querySelector("#question");
  const list = element("ul", { class: "answers" });
  question.answers.forEach((answer, number) => {
    list.append(answerButton(quiz, question, answer, number, redraw));
  });
  box.replaceChildren(
    element("h2", { text: question.prompt }),
    list,
    element("p", { class: "note", text: `${question.points} points` }),
  );
}

function drawProgress(quiz) {
  const text = `Question ${quiz.at + 1} of ${quiz.questions.length}`;
  document.querySelector("#progress").textContent = text;
  document.querySelector("#back").disabled = quiz.at === 0;
  document.querySelector("#next").disabled = quiz.at === quiz.questions.length - 1;
}

function reviewRow(quiz, question) {
  const right = question.answers.find((answer) => answer.right);
  const given = quiz.given.get(question.id);
  const mark = quiz.isRight(question) ? "right" : "wrong";
  return element(
    "tr",
    {},
    element("td", { text: question.country }),
    element("td", { class: mark, text: question.answers[given].text }),
    element("td", { text: right.text }),
  );
}

function drawResult(quiz) {
  const box = document.querySelector("#result");
  box.hidden = !quiz.finished;
  if (!quiz.finished) {
    return;
  }
  const body = element("tbody");
  for (const question of quiz.questions) {
    body.append(reviewRow(quiz, question));
  }
  const head = element(
    "tr",
    {},
    element("th", { text: "Country" }),
    element("th", { text: "You said" }),
    element("th", { text: "Capital" }),
  );
  box.replaceChildren(
    element("p", { class: "score", text: `${quiz.score} / ${quiz.best}` }),
    element("table", { class: "review" }, element("thead", {}, head), body),
  );
}

async function loadQuestions(url) {
  const answer = await fetch(url);
  if (!answer.ok) {
    throw new Error(`${url} answered ${answer.status}`);
  }
  const data = await answer.json();
  const questions = data.shuffle ? shuffled(data.questions) : data.questions;
  return questions.map((question) => ({
    ...question,
    answers: data.shuffle ? shuffled(question.answers) : question.answers,
  }));
}

function showError(error) {
  const box = document.querySelector("#question");
  box.replaceChildren(element("p", { class: "note", text: `The quiz could not start: ${error.message}` }));
}

async function start() {
  let quiz;
  try {
    quiz = new Quiz(await loadQuestions("questions.json"));
  } catch (error) {
    showError(error);
    return;
  }
  const redraw = () => {
    drawProgress(quiz);
    drawQuestion(quiz, redraw);
    drawResult(quiz);
  };
  document.querySelector("#back").addEventListener("click", () => {
    quiz.move(-1);
    redraw();
  });
  document.querySelector("#next").addEventListener("click", () => {
    quiz.move(1);
    redraw();
  });
  document.addEventListener("keydown", (event) => {
    const number = Number(event.key) - 1;
    if (number >= 0 && number < quiz.current.answers.length) {
      quiz.answer(number);
      redraw();
    }
  });
  redraw();
}

document.addEventListener("DOMContentLoaded", start);
