// The page's state, and what every action does. What one does not need at first is loaded when it is asked for.
import { get, post, Problem, put, remove, session } from './api.js';
import { Bar, drawFilters, drawTabs, drawTools, dress } from './chrome.js';
import { Decisions, said } from './decisions.js';
import { choose, compose } from './dialogs.js';
import { byId, calmly, fill, h, tickTimes, translate } from './dom.js';
import { Feed } from './feed.js';
import { listen } from './keys.js';
import { follow } from './live.js';
import { pref, remember } from './prefs.js';
import { addressOf, claimFilter, countOf, Pager, readAddress, TABS, tabOf } from './queue.js';
import { speak, t } from './words.js';

// How far below the window the list is kept filled, in pixels: some fifteen cards.
const AHEAD = 2000;
const SHARE = 10;
// Of two clicks closer than this, in milliseconds, the second was not meant for the card that came under the pointer.
const DOUBLE_CLICK = 300;
const VERBS = ['approve', 'hide', 'escalate'];
const REASONS = { o: 'offensive', a: 'abusive', h: 'hate', t: 'threat', s: 'spam', f: 'off_topic', i: 'illegal', p: 'personal_data', d: 'duplicate', x: 'other' };

let me = {};
let sites = [];
let filter = readAddress();
let counts = {};
let pager = null;
let loading = null;
let news = [];
let working = false;
let beside = '';

const seen = (id = null, options = {}) => put('v1/queue/presence', { comment_id: id }, options).catch(() => {});
const beSeen = calmly(() => { if (feed.current && !document.hidden) seen(feed.current.comment.id); }, 1000);
setInterval(() => me.name && beSeen(), 30_000);
addEventListener('pagehide', () => me.name && seen(null, { keepalive: true }));
const feed = new Feed(byId('feed'), () => foot(), beSeen);
const bar = new Bar(act);
const siteOf = (item) => item.site ?? item.thread?.site ?? (filter.site || (sites.length === 1 ? sites[0] : ''));
const decisions = new Decisions(feed, bar, siteOf);

function go(changed) {
	history.pushState(null, '', addressOf(changed));
	show();
}

async function show() {
	if (working) await giveBack();
	filter = readAddress();
	byId('figures').hidden = !filter.view;
	pager = filter.view ? null : new Pager(filter);
	clear();
	scrollTo(0, 0);
	if (filter.view) return stats();
	await more();
	feed.refocus();
}

function clear() {
	feed.clear();
	announce([]);
	paint();
}

function paint() {
	drawTabs(filter, counts);
	drawFilters(filter, sites, (changes) => go({ ...filter, ...changes }));
	drawTools(me, working, act, restyle);
	bar.ticked(feed.ticked.size);
	foot();
}

// Another language, theme or key map: nothing is asked for again.
async function restyle() {
	await speak();
	dress();
	translate();
	bar.say('');
	paint();
	feed.redrawAll();
	if (filter.view) stats();
}

const isNew = ({ comment }) => !decisions.gone.has(comment.id) && !feed.get(comment.id);
const isNear = () => byId('foot').getBoundingClientRect().top < innerHeight + AHEAD;

async function more() {
	const from = pager;
	if (!from || from.done || loading === from) return;
	loading = from;
	foot();
	let trouble;
	try {
		do {
			const items = await from.next();
			if (from === pager) feed.append(items.filter(isNew));
		} while (from === pager && !from.done && isNear());
	} catch ({ message }) {
		trouble = [message, h('button', { onclick: more }, t('retry'))];
	}
	if (from !== pager) return;
	loading = null;
	foot(trouble);
}

// Below the list: whether it is loading, over or empty, and where to go from there.
function foot(content = ending()) {
	byId('feed').ariaBusy = String(Boolean(loading));
	fill(byId('foot'), content);
}

function ending() {
	if (filter.view) return null;
	if (working) return feed.size ? t('working', { n: feed.size }) : [t('end'), bar.button('work'), h('button', { onclick: show }, t('giveBack'))];
	if (feed.size || !pager.done) return t(pager.done ? 'end' : 'loading');
	const next = nextTab();
	return [t('empty'), next ? bar.button('nextQueue', t('emptyNext', { what: t(next.name) })) : t('emptyAll')];
}

function nextTab() {
	const here = TABS.indexOf(tabOf(filter));
	return [...TABS.slice(here + 1), ...TABS.slice(0, here)].find((tab) => tab.queue !== 'all' && countOf(tab, counts) > 0);
}

const recount = calmly(async () => {
	counts = await get('v1/queue/counts', { site: filter.site }).catch(() => counts);
	if (!byId('tabs').contains(document.activeElement)) drawTabs(filter, counts);
	if (!feed.size && !loading) foot();
}, 700);

// What came in goes into an empty list at once; else it waits until the moderator wants it.
const look = calmly(async () => {
	const from = pager;
	const found = from ? (await new Pager(filter).next().catch(() => [])).filter(isNew) : [];
	if (from !== pager || !found.length) return;
	if (feed.size) return announce(found);
	feed.append(found);
	feed.refocus();
}, 1500);

function announce(items) {
	news = items;
	bar.news(items.length);
}

function onEvent(kind, { comment_id: id, by, until, action }) {
	if (kind === 'queue.viewed' && by !== me.name) return feed.showViewer(id, by);
	if (kind === 'queue.claimed') feed.showClaim(id, { by, until });
	if (kind === 'queue.released') feed.showClaim(id, null);
	if (kind === 'queue.added') look();
	if (kind === 'comment.deleted') feed.settle(id, t('by.delete'));
	if (kind === 'comment.decided' && by !== me.name) feed.settle(id, said(action, by));
	recount();
}

// Work mode: cards that nobody else gets, ten or as many as one decides in some minutes.
async function work(share = { limit: SHARE }) {
	if (working && feed.size) return show();
	try {
		const { items } = await post('v1/queue/claims', { ...share, filter: claimFilter(filter) });
		if (!items.length) return bar.say(t('empty'));
		working = true;
		pager = null;
		clear();
		feed.append(items);
		feed.refocus();
	} catch ({ message }) {
		bar.say(message);
	}
}

function giveBack(options) {
	working = false;
	return remove('v1/queue/claims', options).catch(() => {});
}

// An author who appealed is owed an answer.
const owes = (item, action) => action !== 'escalate' && item?.comment.appeal?.answer === null;

async function decide(action, details) {
	const item = feed.current;
	const note = owes(item, action) ? await compose(t(action === 'hide' ? 'keepHidden' : action), t('note')) : undefined;
	if (!item || note === null) return;
	// Of a folded card the other copies are still to be decided.
	decisions.decide(item, action, { ...details, note }).then(() => (details?.scope || item.duplicates?.count > 1) && look());
}

async function hideWithReason() {
	if (!feed.current) return;
	const reasons = Object.entries(REASONS).map(([key, reason]) => [key, t(`r.${reason}`), { reason }]);
	const details = await choose(t('whyHide'), [...reasons, ['r', t('subtree'), { scope: 'subtree' }], ['u', t('authorRecent'), { scope: 'author_recent' }]]);
	if (details) decide('hide', details);
}

// A raid is one decision.
function decideCopies(action) {
	if (feed.current?.duplicates?.count > 1) decide(action, { scope: 'duplicates' });
}

// For the same reason appeals are not decided by the dozen.
function decideTicked(action) {
	const items = feed.items.filter((item) => feed.ticked.has(item.comment.id) && !owes(item, action));
	if (items.length) decisions.batch(items, action);
}

function blur() {
	remember('blur', pref('blur') === 'yes' ? 'no' : 'yes');
	dress();
	paint();
}

function showNews() {
	const items = news.filter(isNew);
	announce([]);
	feed.prepend(items);
	if (items.length) feed.focus(items[0].comment.id);
}

const openTab = ({ queue, reason }) => go({ queue, reason, site: filter.site });
let style;

async function part(name) {
	style ??= new Promise((onload, onerror) => { document.head.append(h('link', { rel: 'stylesheet', href: 'moderation/later.css', onload, onerror })); });
	try {
		const [module] = await Promise.all([import(`./${name}.js`), style]);
		return module;
	} catch {
		style = null;
		throw new Problem(0);
	}
}

const stats = async () => (await part('stats')).showStats(filter.site);
const account = async (what) => (await part('account'))[what](me.name);

// What is beside the list is about the card one is at; asked for again, it goes.
async function about(what) {
	const item = feed.current;
	if (!item) return;
	const asked = `${what} ${item.comment.id}`;
	const isOpen = asked === beside;
	closePanel();
	if (isOpen) return;
	beside = asked;
	(await part('panel'))[what](item, siteOf(item), act, closePanel);
}

function closePanel() {
	beside = '';
	byId('panel').hidden = true;
}

const ACTIONS = {
	...Object.fromEntries(VERBS.flatMap((verb) => [[verb, () => decide(verb)], [`${verb}All`, () => decideTicked(verb)]])),
	spam: () => decide('hide', { reason: 'spam' }),
	subtree: () => decide('hide', { scope: 'subtree' }),
	reason: hideWithReason,
	copies: () => decideCopies('hide'),
	copiesApproved: () => decideCopies('approve'),
	members: () => about('showCopies'),
	undo: () => { decisions.undo(); },
	next: () => feed.move(1),
	prev: () => feed.move(-1),
	tick: () => feed.current && feed.tick(feed.current.comment.id),
	tickAll: () => feed.tickAll(true),
	untick: () => feed.tickAll(false),
	thread: () => about('showThread'),
	author: () => about('showAuthor'),
	expand: () => feed.expand(),
	reveal: () => feed.reveal(),
	nextQueue: () => openTab(nextTab() ?? tabOf(filter)),
	queue: (number) => openTab(TABS[number - 1]),
	news: showNews,
	work: () => work(),
	quarter: () => work({ minutes: 15 }),
	search: () => byId('q')?.focus(),
	blur,
	help: async () => (await part('help')).showHelp(),
	account: () => account('showAccount'),
	signout: () => giveBack().then(() => account('signOut')),
};

async function act(action, argument) {
	try {
		await ACTIONS[action](argument);
	} catch (problem) {
		if (!(problem instanceof Problem)) throw problem;
		bar.say(problem.message);
	}
	bar.ticked(feed.ticked.size);
	if (!beside.endsWith(feed.current?.comment.id)) closePanel();
	if (isNear()) more();
}

let clicked = 0;

function onCardClick({ target, detail, timeStamp }) {
	const action = target.closest('[data-do]')?.dataset.do;
	if (!action) return;
	if (VERBS.includes(action)) {
		if (detail && timeStamp - clicked < DOUBLE_CLICK) return;
		clicked = timeStamp;
	}
	feed.choose(target.closest('.card').dataset.id);
	act(action);
}

function onLink(event) {
	const link = event.target.closest('a[data-go]');
	if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
	event.preventDefault();
	history.pushState(null, '', link.href);
	show();
}

function onEscape({ key }) {
	if (key !== 'Escape' || document.querySelector('dialog[open]')) return;
	closePanel();
	document.activeElement.blur();
	feed.refocus();
}

async function sitesOf(slugs) {
	if (!slugs.includes('*')) return slugs;
	const { items } = await get('v1/sites').catch(() => ({ items: [] }));
	return items.map(({ slug }) => slug);
}

async function whoAmI() {
	try {
		return await get('moderation/session');
	} catch (problem) {
		if (problem.status === 401) return account('signIn');
		throw problem;
	}
}

// Before the list is read: else what happens in between would be told to nobody.
let stream;
const following = () => (stream ??= new Promise((ready) => {
	follow({ event: onEvent, ready, gap: () => { recount(); look(); }, offline: (is) => fill(byId('net'), is && t('offline')) });
}));

async function enter() {
	byId('desk').hidden = true;
	me = await whoAmI();
	feed.me = me.name;
	[sites] = await Promise.all([sitesOf(me.sites), following()]);
	byId('desk').hidden = false;
	bar.say('');
	recount();
	await show();
}

function wire() {
	listen(act);
	byId('feed').addEventListener('click', onCardClick);
	document.addEventListener('click', onLink);
	document.addEventListener('keydown', onEscape);
	addEventListener('popstate', show);
	addEventListener('pagehide', () => working && giveBack({ keepalive: true }));
	addEventListener('scroll', () => isNear() && more(), { passive: true });
	setInterval(tickTimes, 30_000);
	let entering;
	session.addEventListener('lost', () => { entering ??= enter().finally(() => { entering = null; }); });
}

dress();
translate();
try {
	await enter();
	wire();
} catch (problem) {
	fill(byId('gate'), h('p.bad', { role: 'alert' }, problem.message));
	throw problem;
}
