"use strict";
// The wall of phones. Everything shown is built with textContent: texts come from outside.

const $ = (id) => document.getElementById(id);
const NUMBER = new Intl.NumberFormat("vi-VN");
const TIME = new Intl.DateTimeFormat("vi-VN", {hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh"});
const DAY = new Intl.DateTimeFormat("vi-VN", {day: "2-digit", month: "2-digit", year: "numeric", timeZone: "Asia/Ho_Chi_Minh"});
const SKINS = {sms: "SMS", zalo: "Zalo", messenger: "Messenger", telegram: "Telegram", page: "Trang tin"};
const PAGE = 24;

const state = {
  gateways: {}, app: "", q: "", paused: false, pages: 1, dialog: null, shown: new Map(), asked: 0, faults: null,
};

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

async function ask(path, method = "GET", data = undefined) {
  const options = {method, headers: {}};
  if (method !== "GET") {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(data ?? {});
  }
  const reply = await fetch(path, options);
  const body = await reply.json();
  if (!reply.ok) throw new Error(body.error || "Hộp cát không làm được việc này.");
  return body;
}

// -- words

const OUTLETS = {page: "Trang Facebook", followers: "Người quan tâm OA"};

function address(value) {
  if (OUTLETS[value]) return OUTLETS[value];
  const mobile = /^\+?84(\d{3})(\d{3})(\d{3})$/.exec(value);
  return mobile ? `0${mobile[1]} ${mobile[2]} ${mobile[3]}` : value;
}

function moment(seconds) {
  const at = new Date(seconds * 1000);
  const day = DAY.format(at);
  return day === DAY.format(new Date()) ? TIME.format(at) : `${TIME.format(at)} ${day}`;
}

// -- messages

const STATES = {
  arrived: ["check", "Đã đến máy"],
  waiting: ["clock", "Đang trên đường"],
  lost: ["alert", "Không đến máy"],
};

function media(file) {
  const source = file.sha256 ? `wall/files/${file.sha256}` : "";
  if (source && file.kind === "photo") {
    const {width, height} = file; // known beforehand, so that nothing jumps when it arrives
    return element("img", {src: source, alt: "Ảnh kèm tin", width: width || null, height: height || null});
  }
  if (source && (file.kind === "audio" || file.kind === "voice")) {
    const label = file.title || file.name || "Bản ghi âm";
    return element("div", {class: "sound"}, element("b", {text: label}),
      element("audio", {src: source, controls: true, preload: "none", "aria-label": label}));
  }
  const name = file.title || file.name || file.url || "Tệp kèm tin";
  const link = source ? element("a", {href: source, download: file.name || true, text: name}) : element("span", {text: name});
  return element("div", {class: "file"}, icon("file"), link);
}

function card(data, text) {
  return element("div", {class: "card-in"},
    data.title ? element("b", {text: data.title}) : null,
    text ? element("p", {class: "text", text}) : null,
    ...(data.lines || []).map((line) => element("p", {text: line})),
    data.link ? element("small", {class: "url", text: data.link}) : null,
    ...(data.rows || []).map(([name, value]) => element("p", {class: "pair"}, element("span", {text: name}), element("b", {text: value}))),
    ...(data.buttons || []).map((title) => element("span", {class: "button-in", text: title})));
}

function bubble(message) {
  const mine = message.state === "inbound";
  const body = element("div", {class: `bubble${mine ? " mine" : ""}${message.state === "lost" ? " lost" : ""}`});
  if (message.deleted) body.append(element("em", {text: "Tin đã được thu hồi"}));
  else {
    if (message.media) body.append(media(message.media));
    if (message.card) body.append(card(message.card, message.text));
    else if (message.text) body.append(element("p", {class: "text", text: message.text}));
    if (!message.text && !message.media && !message.card) body.append(element("em", {text: "Nội dung đã xoá"}));
  }
  const foot = element("small", {class: "foot"});
  if (message.edited) foot.append(element("span", {text: "đã sửa"}));
  foot.append(element("time", {datetime: new Date(message.at * 1000).toISOString(), text: moment(message.at)}));
  if (!mine) {
    let [name, words] = STATES[message.state];
    if (message.status === "read" || message.status === "seen") words = "Đã xem";
    if (message.code && message.state === "lost") words += ` (${message.code})`;
    foot.append(element("span", {class: `how ${message.state}`}, icon(name), document.createTextNode(words)));
    if (message.segments > 1) foot.append(element("span", {text: `${message.segments} phần`}));
  }
  return element("div", {class: `msg${mine ? " mine" : ""}`}, body, foot);
}

function screen(thread) {
  const name = thread.sender || state.gateways[thread.provider].label;
  const sub = {sms: "Tin nhắn", telegram: "bot", zalo: "Tài khoản OA", messenger: "Trang Facebook", page: "Bài trên trang"};
  return [
    element("div", {class: "from"}, element("span", {class: "face", "aria-hidden": "true", text: name.slice(0, 1).toUpperCase()}),
      element("span", {}, element("b", {text: name}), element("small", {text: sub[thread.skin]}))),
    ...thread.messages.map(bubble),
  ];
}

function labels(thread) {
  const made = [];
  if (thread.blocked) made.push(element("span", {class: "st bad"}, icon("ban"), document.createTextNode("Đã chặn")));
  if (thread.opted_out) made.push(element("span", {class: "st bad"}, icon("stop"), document.createTextNode("Từ chối nhận")));
  return made;
}

const keyOf = (thread) => `${thread.provider} ${thread.address}`;

function phone(thread) {
  const gateway = state.gateways[thread.provider];
  const open = element("button", {
    class: "btn btn-sm", type: "button", onclick: () => openDialog(thread.provider, thread.address),
    "aria-label": `Mở máy ${address(thread.address)}, ${thread.count} tin`,
  }, icon("chat"), document.createTextNode(`Mở · ${NUMBER.format(thread.count)} tin`));
  const inner = element("div", {class: "screen"}, ...screen(thread));
  const made = element("li", {class: "item"},
    element("div", {class: "who"}, element("div", {}, element("b", {text: address(thread.address)}),
      element("small", {text: gateway.label})), ...labels(thread)),
    element("div", {class: `phone ${thread.skin}`}, inner), open);
  return made;
}

function render(threads, more) {
  const list = $("phones");
  const wanted = new Map();
  for (const thread of threads) {
    const key = keyOf(thread);
    const print = JSON.stringify(thread);
    const old = state.shown.get(key);
    wanted.set(key, old && old.print === print ? old : {print, node: phone(thread)});
  }
  for (const [key, {node}] of state.shown) if (wanted.get(key)?.node !== node) node.remove();
  let place = list.firstElementChild;
  for (const {node} of wanted.values()) {
    if (node === place) place = place.nextElementSibling;
    else list.insertBefore(node, place);
  }
  state.shown = wanted;
  for (const inner of list.querySelectorAll(".screen")) inner.scrollTop = inner.scrollHeight;
  $("more").hidden = !more;
  const filtered = state.q || state.app;
  $("empty").hidden = threads.length > 0;
  $("empty-title").textContent = filtered ? "Không tìm thấy máy nào" : "Chưa có tin nào";
  $("empty-text").textContent = filtered
    ? "Thử số máy khác, ít chữ hơn, hoặc chọn “Tất cả”."
    : "Gửi thử một tin từ Loa, máy của người nhận sẽ hiện ở đây ngay.";
}

async function refresh() {
  const asked = ++state.asked;
  const query = new URLSearchParams({limit: Math.min(100, PAGE * state.pages)});
  if (state.q) query.set("q", state.q);
  if (state.app) query.set("app", state.app);
  const {threads, more} = await ask(`wall/threads?${query}`);
  if (asked !== state.asked) return; // a later question is under way
  let all = threads, rest = more;
  while (rest && all.length < PAGE * state.pages) {
    query.set("before", all[all.length - 1].changed);
    const next = await ask(`wall/threads?${query}`);
    if (asked !== state.asked) return;
    all = all.concat(next.threads);
    rest = next.more;
  }
  render(all, rest);
  if (state.dialog) await showDialog();
}

// -- one phone

async function openDialog(provider, address) {
  state.dialog = {provider, address};
  $("reply-said").textContent = "";
  $("reply-text").value = "";
  await showDialog();
  $("dialog").showModal();
  $("dialog-screen").scrollTop = $("dialog-screen").scrollHeight;
}

async function showDialog() {
  const where = state.dialog;
  const thread = await ask(`wall/thread?${new URLSearchParams(where)}`);
  if (where !== state.dialog) return;
  const gateway = state.gateways[where.provider];
  $("dialog-title").textContent = address(where.address);
  $("dialog-sub").textContent = gateway.label;
  const box = $("dialog-screen");
  const print = JSON.stringify(thread);
  if (box.dataset.print !== print) {
    const low = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
    box.dataset.print = print;
    box.parentElement.className = `phone big ${thread.skin}`;
    box.replaceChildren(...screen(thread));
    if (low) box.scrollTop = box.scrollHeight;
  }
  $("reply-box").hidden = !gateway.two_way;
  $("reply-stop").hidden = !gateway.refusal;
  $("reply-stop").querySelector("span").textContent = `Từ chối nhận (${gateway.refusal})`;
  $("reply-block").hidden = !gateway.can_block;
  $("reply-block").querySelector("span").textContent = thread.blocked ? "Bỏ chặn" : "Chặn";
  $("reply-block").dataset.action = thread.blocked ? "unblock" : "block";
}

async function act(data, said) {
  const words = $("reply-said");
  words.className = "";
  try {
    const {callbacks} = await ask("control/reply", "POST", {...state.dialog, ...data});
    words.textContent = callbacks ? said : `${said} Loa chưa khai địa chỉ nhận trả lời của cổng này.`;
    await refresh();
    return true;
  } catch (error) {
    words.className = "error";
    words.textContent = error.message;
    return false;
  }
}

// -- faults

function percent(value) {
  return `${NUMBER.format(Math.round(value * 1000) / 10)}%`;
}

const PARAMS = {retry_after: ["hẹn sau", "giây"], seconds: ["trong", "giây"], status: ["mã", ""], code: ["mã lỗi", ""], times: ["số lần", ""]};

function ruleOf(kind) {
  const provider = $("fault-provider").value, pattern = $("fault-address").value.trim() || "*";
  return state.faults.rules.find((r) => r.kind === kind && r.provider === provider && r.address === pattern);
}

function renderFaults() {
  const {kinds, rules} = state.faults;
  const live = rules.filter((r) => r.next !== 0);
  $("fault-count").textContent = live.length ? `${live.length} sự cố đang bật` : "Không có sự cố nào";
  $("fault-count").className = live.length ? "st warn" : "st";
  for (const [kind, about] of Object.entries(kinds)) {
    let row = $("fault-kinds").querySelector(`[data-kind="${kind}"]`);
    if (!row) {
      row = element("li", {"data-kind": kind});
      const id = `fault-${kind}`;
      const fields = element("span", {class: "fields"}, element("label", {},
        element("input", {type: "number", min: 0.1, max: 100, step: 0.1, value: 20, name: "share", "aria-label": `Tỷ lệ phần trăm: ${about.label}`}),
        document.createTextNode("%")));
      for (const [name, value] of Object.entries(about.params)) {
        const [before, after] = PARAMS[name];
        fields.append(element("label", {}, document.createTextNode(before),
          element("input", {type: typeof value === "number" ? "number" : "text", value, name, size: 6, "aria-label": `${about.label}: ${before}`}),
          document.createTextNode(after)));
      }
      row.append(
        element("input", {type: "checkbox", role: "switch", id, onchange: (event) => flip(kind, event.target)}),
        element("label", {for: id, text: about.label}), fields);
      $("fault-kinds").append(row);
    }
    row.querySelector("[role=switch]").checked = Boolean(ruleOf(kind));
  }
  $("fault-rules").replaceChildren(...(rules.length ? rules.map((rule) => {
    const where = rule.provider === "*" ? "mọi cổng" : state.gateways[rule.provider].label;
    const often = rule.next === null ? percent(rule.share) : rule.next ? `còn ${NUMBER.format(rule.next)} lần` : "đã xong";
    const pattern = rule.address === "*" ? "" : ` · ${rule.address}`;
    const words = `${kinds[rule.kind].label} · ${where}${pattern} · ${often} · đã gặp ${NUMBER.format(rule.hits)} lần`;
    return element("li", {}, element("span", {text: words}), element("button", {
      class: "btn btn-sm", type: "button", "aria-label": `Bỏ: ${words}`, onclick: () => fault("DELETE", `faults/${rule.id}`),
    }, icon("trash"), document.createTextNode("Bỏ")));
  }) : [element("li", {class: "mute", text: "Không có sự cố nào."})]));
}

async function fault(method, path, data) {
  const error = $("fault-error");
  error.hidden = true;
  try {
    state.faults = await ask(`control/${path}`, method, data);
  } catch (problem) {
    error.textContent = problem.message;
    error.hidden = false;
  }
  renderFaults();
}

async function flip(kind, box) {
  if (!box.checked) {
    const rule = ruleOf(kind);
    if (rule) await fault("DELETE", `faults/${rule.id}`);
    return;
  }
  const rule = {kind, provider: $("fault-provider").value, address: $("fault-address").value.trim() || "*"};
  for (const input of box.parentElement.querySelectorAll(".fields input")) {
    if (input.name === "share") rule.share = Number(input.value) / 100;
    else rule[input.name] = input.type === "number" ? Number(input.value) : input.value.trim();
  }
  await fault("POST", "faults", rule);
}

// -- the rest of the page

function totals(stats) {
  const arrived = Object.values(stats.providers).reduce((sum, t) => sum + (t.delivered || 0), 0);
  const inbound = Object.values(stats.providers).reduce((sum, t) => sum + (t.inbound || 0), 0);
  const rows = [["Cổng đã nhận", stats.accepted], ["Báo đã đến máy", arrived], ["Bà con trả lời", inbound]];
  $("totals").replaceChildren(...rows.map(([name, value]) =>
    element("div", {}, element("dt", {text: name}), element("dd", {text: NUMBER.format(value)}))));
}

function about() {
  $("about-body").replaceChildren(...Object.values(state.gateways).map((gateway) => element("section", {},
    element("h3", {text: gateway.label}),
    gateway.specials.length ? element("table", {}, element("caption", {text: "Địa chỉ có đuôi"}),
      element("tbody", {}, ...gateway.specials.map((s) => element("tr", {},
        element("th", {scope: "row", text: `…${s.ending}`}), element("td", {text: s.what}))))) : null,
    element("table", {}, element("caption", {text: "Thông số dùng khi khai kênh thử"}),
      element("tbody", {}, ...Object.entries(gateway.settings).map(([name, value]) => element("tr", {},
        element("th", {scope: "row", text: name}), element("td", {}, element("code", {text: value || "(chưa đặt)"}))))))
  )));
}

function apps() {
  const skins = new Set(Object.values(state.gateways).flatMap((g) => g.skins));
  for (const [value, name] of [["", "Tất cả"], ...Object.entries(SKINS).filter(([skin]) => skins.has(skin))]) {
    const id = `app-${value || "all"}`;
    $("apps").append(element("input", {
      type: "radio", name: "app", id, value, checked: state.app === value,
      onchange: () => { state.app = value; filter(); },
    }), element("label", {for: id, text: name}));
  }
}

function filter() {
  state.pages = 1;
  const query = new URLSearchParams();
  if (state.q) query.set("q", state.q);
  if (state.app) query.set("app", state.app);
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  refresh();
}

function listen() {
  let busy = false, again = false;
  async function changed() {
    if (state.paused) return;
    if (busy) { again = true; return; }
    busy = true;
    try { await refresh(); } catch { /* the next event tries again */ }
    busy = false;
    if (again) { again = false; changed(); }
  }
  const events = new EventSource("wall/events");
  events.onmessage = (event) => {
    $("live").textContent = "";
    totals(JSON.parse(event.data));
    changed();
  };
  events.onerror = () => { $("live").textContent = "Mất kết nối với hộp cát, đang thử lại…"; };
  $("pause").addEventListener("click", () => {
    state.paused = !state.paused;
    $("pause").setAttribute("aria-pressed", state.paused);
    $("pause").querySelector("span").textContent = state.paused ? "Cập nhật tiếp" : "Dừng cập nhật";
    $("pause").querySelector("use").setAttribute("href", state.paused ? "#i-play" : "#i-pause");
    changed();
  });
}

async function begin() {
  const query = new URLSearchParams(location.search);
  state.q = query.get("q") || "";
  state.app = query.get("app") || "";
  $("q").value = state.q;
  for (const gateway of await ask("wall/about")) state.gateways[gateway.name] = gateway;
  apps();
  about();
  $("fault-provider").append(element("option", {value: "*", text: "Mọi cổng"}),
    ...Object.values(state.gateways).map((g) => element("option", {value: g.name, text: g.label})));
  state.faults = await ask("control/faults");
  renderFaults();

  let typing;
  $("q").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => { state.q = $("q").value.trim(); filter(); }, 250);
  });
  $("search").addEventListener("submit", (event) => event.preventDefault());
  $("more").addEventListener("click", () => { state.pages += 1; refresh(); });
  $("fault-provider").addEventListener("change", renderFaults);
  $("fault-address").addEventListener("input", renderFaults);
  $("fault-clear").addEventListener("click", () => fault("DELETE", "faults"));
  $("faults").addEventListener("toggle", async () => { if ($("faults").open) { state.faults = await ask("control/faults"); renderFaults(); } });
  $("dialog-close").addEventListener("click", () => $("dialog").close());
  $("dialog").addEventListener("close", () => { state.dialog = null; delete $("dialog-screen").dataset.print; });
  $("reply").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await act({text: $("reply-text").value}, "Đã trả lời.")) $("reply-text").value = "";
  });
  $("reply-stop").addEventListener("click", () => act({action: "stop"}, "Người này đã từ chối nhận tin."));
  $("reply-block").addEventListener("click", (event) => {
    const action = event.currentTarget.dataset.action;
    act({action}, action === "block" ? "Người này đã chặn." : "Người này đã bỏ chặn.");
  });
  listen();
}

begin();
