// Beside the list, on demand: a whole thread, the copies of a text, or all that is known of an author.
import { get, post, remove } from './api.js';
import { status } from './card.js';
import { byId, cross, fill, h, select, theirs, totals, when } from './dom.js';
import { keyOf } from './keys.js';
import { addressOf } from './queue.js';
import { moment, t } from './words.js';

const PAGE = 200;
const DEEPEST = 8;
const SANCTIONS = ['premoderate', 'shadow', 'ban', 'trust'];
const DAYS = ['1', '7', '30', ''];
const DAY = 86_400_000;

async function show(title, close, load) {
	const panel = byId('panel');
	const content = h('div.content', {}, t('loading'));
	fill(panel, h('header', {}, h('h2', {}, theirs(title)), cross(close)), content);
	panel.hidden = false;
	try {
		fill(content, await load());
		const here = content.querySelector('.here');
		// Not scrollIntoView, which would move the list too.
		panel.scrollTop = here ? here.offsetTop - (panel.clientHeight - here.offsetHeight) / 2 : 0;
	} catch ({ message }) {
		content.textContent = message;
	}
}

// Comments a page at a time, the one on the card marked.
async function listed(path, query, here) {
	const list = h('ol.thread', { role: 'list' });
	const next = h('div');
	const load = async (cursor) => {
		const page = await get(path, { ...query, limit: PAGE, cursor });
		list.append(...page.items.map((one) => line(one, one.id === here)));
		fill(next, page.next_cursor && h('button', { onclick: () => load(page.next_cursor) }, t('more')));
	};
	await load();
	return [list, next];
}

function line({ author, body, status: now, depth, created_at: at }, here) {
	const row = h(
		`li.is-${now}${here ? '.here' : ''}`, { 'aria-current': here && 'true' },
		h('p', {}, theirs(author?.name ?? '–', 'b'), now !== 'published' && status(now), when(at)),
		theirs(body ?? t('removed'), 'p'),
	);
	row.style.setProperty('--depth', Math.min(depth, DEEPEST));
	return row;
}

// `branch` limits it to the siblings of the comment and their replies.
export function showThread({ comment, thread }, site, act, close, branch = false) {
	const path = `v1/threads/${encodeURIComponent(comment.thread)}/comments`;
	return show(thread?.title ?? comment.thread, close, async () => {
		const other = () => showThread({ comment, thread }, site, act, close, !branch);
		const query = { status: 'all', view: 'flat', site, parent: branch && comment.parent_id };
		return [comment.parent_id && h('button', { onclick: other }, t(branch ? 'wholeThread' : 'branch')), await listed(path, query, comment.id)];
	});
}

export function showCopies({ comment, duplicates: { cluster, count } }, site, act, close) {
	const all = (action) => h('button', { onclick: () => act(action) }, t(action), keyOf(action));
	return show(t('n.copies', { n: count }), close, async () => [h('p.line', {}, all('copies'), all('copiesApproved')), await listed(`v1/clusters/${cluster}`, {}, comment.id)]);
}

export function showAuthor(item, site, act, close) {
	const { author } = item.comment;
	const path = `v1/authors/${encodeURIComponent(author.id)}`;
	const again = () => showAuthor(item, site, act, close);
	return show(author.name, close, async () => {
		const { counts, sanctions, notes, seen_at: seen } = await get(path, { site });
		const lift = (id) => remove(`${path}/sanctions/${id}`, { query: { site } }).then(again);
		return [
			totals(Object.entries(counts).map(([name, n]) => [t(`s.${name}`), n])),
			seen && h('p.dim', {}, t('seen'), ' ', when(seen)),
			h('a', { href: addressOf({ queue: 'waiting', author: author.id, site }), 'data-go': true }, t('waitingBy')),
			h('h3', {}, t('sanctions')),
			sanctions.map((sanction) => measure(sanction, lift)),
			impose((body) => post(`${path}/sanctions`, body, { site }).then(again)),
			h('h3', {}, t('notes')),
			notes.map(({ text, moderator, at }) => h('div.note', {}, theirs(text, 'p'), h('p.dim', {}, moderator, ' · ', when(at)))),
			noteForm((text) => post(`${path}/notes`, { text }, { site }).then(again)),
		];
	});
}

// What is over stays to be read: it tells what was tried.
const measure = ({ id, kind, until, note, moderator, at, lifted_at: lifted, in_force: holds }, lift) => h(
	`p.line${holds ? '' : '.over'}`, {}, h('b', {}, t(`k.${kind}`)), theirs(moderator, 'span'), when(at),
	holds ? until && t('until', { when: moment(until) }) : h('span', {}, t('over'), ' ', when(lifted ?? until)),
	note && theirs(note, 'q'), holds && h('button', { onclick: () => lift(id) }, t('lift')),
);

function impose(send) {
	const lasts = select({ 'aria-label': t('lasts') }, DAYS.map((n) => [n, n ? t('days', { n: Number(n) }) : t('forGood')]), '7');
	const until = () => (lasts.value ? new Date(Date.now() + lasts.value * DAY).toISOString() : null);
	return h('p.line', {}, lasts, SANCTIONS.map((kind) => h('button', { onclick: () => send({ kind, until: until() }) }, t(`k.${kind}`))));
}

function noteForm(send) {
	const field = h('textarea', { rows: 2, required: true, maxlength: 2000, dir: 'auto', 'aria-label': t('newNote') });
	return h('form.line', { onsubmit: (event) => { event.preventDefault(); send(field.value.trim()); } }, field, h('button', {}, t('addNote')));
}
