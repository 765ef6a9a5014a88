// Beside the list, on demand: a whole thread, or all that is known of an author.
import { get, post, remove } from './api.js';
import { status } from './card.js';
import { byId, cross, fill, h, theirs, when } from './dom.js';
import { addressOf } from './queue.js';
import { digits, moment, t } from './words.js';

const PAGE = 300;
const DEEPEST = 8;
const SANCTIONS = ['premoderate', 'shadow', 'ban', 'trust'];

export const closePanel = () => { byId('panel').hidden = true; };

async function show(title, load) {
	const content = h('div.content', {}, t('loading'));
	fill(byId('panel'), h('header', {}, h('h2', {}, theirs(title)), cross(closePanel)), content);
	byId('panel').hidden = false;
	try {
		fill(content, await load());
		content.querySelector('.here')?.scrollIntoView({ block: 'center' });
	} catch ({ message }) {
		content.textContent = message;
	}
}

// `branch` limits it to the siblings of the comment and their replies.
export function showThread({ comment, thread }, site, branch = false) {
	const path = `v1/threads/${encodeURIComponent(comment.thread)}/comments`;
	return show(thread?.title ?? comment.thread, async () => {
		const list = h('ol.thread', { role: 'list' });
		const next = h('div');
		const load = async (cursor) => {
			const page = await get(path, { status: 'all', view: 'flat', limit: PAGE, site, parent: branch && comment.parent_id, cursor });
			list.append(...page.items.map((one) => line(one, one.id === comment.id)));
			fill(next, page.next_cursor && h('button', { onclick: () => load(page.next_cursor) }, t('more')));
		};
		await load();
		const other = () => showThread({ comment, thread }, site, !branch);
		return [comment.parent_id && h('button', { onclick: other }, t(branch ? 'wholeThread' : 'branch')), list, next];
	});
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

export function showAuthor(item, site) {
	const { author } = item.comment;
	const path = `v1/authors/${encodeURIComponent(author.id)}`;
	const again = () => showAuthor(item, site);
	return show(author.name, async () => {
		const { counts, sanctions, notes, seen_at: seen } = await get(path, { site });
		const impose = (kind) => post(`${path}/sanctions`, { kind }, { site }).then(again);
		const lift = (id) => remove(`${path}/sanctions/${id}`, { query: { site } }).then(again);
		return [
			h('p', {}, Object.entries(counts).map(([name, n]) => `${t(`s.${name}`)} ${digits(n)}`).join(' · '), ' · ', seen && when(seen)),
			h('a', { href: addressOf({ queue: 'waiting', author: author.id, site }), 'data-go': true }, t('waitingBy')),
			h('h3', {}, t('sanctions')),
			sanctions.filter((sanction) => sanction.in_force).map((sanction) => measure(sanction, lift)),
			h('p.line', {}, SANCTIONS.map((kind) => h('button', { onclick: () => impose(kind) }, t(`k.${kind}`)))),
			notes.map(({ text }) => theirs(text, 'p')),
		];
	});
}

const measure = ({ id, kind, until, note }, lift) => h(
	'p.line', {}, h('b', {}, t(`k.${kind}`)), until && t('until', { when: moment(until) }), note && theirs(note, 'q'),
	h('button', { onclick: () => lift(id) }, t('lift')),
);
