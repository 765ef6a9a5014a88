// A card knows nothing of the server: its buttons name actions (`data-do`), and whoever holds the list listens.
import { h, theirs, when } from './dom.js';
import { keyOf } from './keys.js';
import { body } from './spans.js';
import { clock, digits, percent, t } from './words.js';

// From which score on a text counts as violent and is blurred on demand.
const VIOLENT = 0.3;

export function card(item, me, ticked) {
	const { comment, parent, ancestors } = item;
	const violent = comment.scores?.threat >= VIOLENT || comment.reasons?.some(({ code }) => code === 'threat');
	return h(
		`article.card${violent ? '.violent' : ''}`, { tabindex: -1, 'data-id': comment.id, 'aria-label': comment.author?.name },
		head(item, ticked),
		above(ancestors?.length ? [...ancestors] : [parent].filter(Boolean)),
		body(item),
		violent && button('reveal'),
		voices(item),
		foot(item, me),
	);
}

const button = (action, label = t(action), kind = '') => h(`button.${action}${kind}`, { 'data-do': action }, label);
const keyed = (action, label = t(action)) => h(`button.${action}`, { 'data-do': action }, label, keyOf(action));
export const status = (name) => h(`span.status.is-${name}`, {}, t(`s.${name}`));

function head({ comment, author_history: history, thread, site }, ticked) {
	const title = thread?.title ?? comment.thread;
	return h(
		'header', {},
		h('label.tick', {}, h('input', { type: 'checkbox', 'data-do': 'tick', 'aria-label': t('tick'), checked: ticked })),
		button('author', theirs(comment.author?.name ?? '–'), '.link'),
		history && past(history),
		h('button.link.where', { 'data-do': 'thread', title: [site, title].filter(Boolean).join(' · ') }, theirs(title)),
		comment.edited_at && h('span.dim', {}, t('edited')),
		comment.status !== 'pending' && status(comment.status),
		when(comment.created_at),
	);
}

const past = ({ published = 0, hidden = 0, sanctions = [] }) => h(
	'span.dim.past', {},
	published + hidden === 0 && t('r.first_comment'),
	published > 0 && h('span', {}, t('n.published', { n: published })),
	hidden > 0 && h('span.bad', {}, t('n.hidden', { n: hidden })),
	sanctions.map(({ kind }) => h('span.bad', {}, t(`k.${kind}`))),
);

// The nearest comment above in sight, the others folded.
function above(comments) {
	if (!comments.length) return null;
	const lines = comments.map(({ author, body: text, status: now }) => (
		h('details.ancestor', {}, h('summary', {}, theirs(author?.name ?? '–', 'b'), ' ', now !== 'published' && [status(now), ' '], theirs(text ?? t('removed'), 'span')))
	));
	const nearest = lines.pop();
	return h('div.above', {}, lines.length > 0 && h('details', {}, h('summary', {}, t('above', { n: lines.length })), lines), nearest);
}

// Why a moderator is asked, where it is not for what the machine said of it.
function voices({ queue, reports = [], appeals = [] }) {
	const drawn = queue === 'sampled';
	if (!drawn && !reports.length && !appeals.length) return null;
	return h(
		'div.voices', {},
		drawn && h('p', {}, t('drawn')),
		appeals.map(({ text }) => h('p', {}, h('b', {}, t('appealed')), ' ', theirs(text, 'q'))),
		reports.length > 0 && h('b', {}, t('reports', { n: reports.length })),
		reports.map(({ reason, note }) => h('p', {}, t(`r.${reason}`), note && [' – ', theirs(note, 'q')])),
	);
}

function foot(item, me) {
	const { comment, queue, duplicates, priority } = item;
	const copies = duplicates?.count > 1 && h('li', {}, button('members', t('n.copies', { n: duplicates.count }), '.link'));
	return h(
		'footer', {},
		h('ul.chips', { role: 'list' }, (comment.reasons ?? []).map(chip), copies, priority && h('li', {}, why(priority))),
		h('div.actions', {}, keyed('approve'), keyed('hide', t(queue === 'appeals' ? 'keepHidden' : 'hide')), keyed('reason', t('withReason')), keyed('escalate')),
		h('span.claim', {}, others(item, me)),
	);
}

// A reason is underlined as its label is in the text, so that the chips are the key to the marks.
const chip = ({ code, score, detail }) => h('li.chip', { title: detail }, h(`mark.is-${code}`, {}, t(`r.${code}`)), score != null && h('span.n', {}, percent(score)));

function why({ value, parts }) {
	const rows = parts.filter(({ points }) => Math.abs(points) >= 0.005);
	return h('details.why', {}, h('summary', {}, `${t('why')} · ${digits(value)}`), h('dl', {}, rows.map(({ code, points }) => [h('dt', {}, t(`r.${code}`)), h('dd', {}, t('points', { n: points }))])));
}

export function lease(claim, me) {
	return claim ? t(claim.by === me ? 'mine' : 'claimed', { who: claim.by, until: clock(claim.until) }) : '';
}

// Whose it is, and who looks at it.
export function others({ claim, viewers = [] }, me) {
	return [lease(claim, me), ...viewers.map(({ by }) => t('here', { who: by }))].filter(Boolean).join(' · ');
}
