// The models: which there are, which is live, how each compares with the one before it, and the way back.
import { get, post } from './api.js';
import { fill, h, when } from './dom.js';
import { confirm, fixed, head, isMissing, LABELS, share, signed, table } from './models-parts.js';
import { t } from './words.js';

const path = (version, rest = '') => `v1/models/${encodeURIComponent(version)}${rest}`;

export async function modelsPart(section, about) {
	try {
		await draw(section, about);
	} catch (problem) {
		if (problem.status !== 403) throw problem;
		fill(section, head('models'), h('p.say', {}, t('forAllSites')));
	}
}

async function draw(section, about) {
	const { items } = await get('v1/models');
	// Does something, says how it went, and shows the outcome.
	const then = async (task, said) => {
		try {
			const answer = await task();
			await draw(section, about);
			about.say(said(answer));
			section.querySelector('h2').focus();
		} catch ({ message }) {
			about.say(message);
		}
	};
	const back = h('button', { onclick: () => rollBack(then) }, t('rollback'));
	const beside = items.find(({ shadow }) => shadow);
	fill(section, head('models', items.length > 1 && back), items.map((model) => card(model, then)), beside && h('div', { id: 'shadow' }));
	section.querySelector('h2').tabIndex = -1;
	if (beside) await compare(section.querySelector('#shadow'), beside.version).catch((problem) => { if (!isMissing(problem)) throw problem; });
}

async function rollBack(then) {
	if (await confirm(t('rollbackTitle'), [t('rollbackSays'), t('activateSays')], t('rollback'))) {
		then(() => post('v1/models:rollback'), ({ version }) => t('isLive', { version }));
	}
}

async function activate({ version }, then) {
	if (await confirm(t('activateTitle', { version }), [t('activateSays'), t('activateBack')], t('activate'))) {
		then(() => post(path(version, '/activate')), () => t('isLive', { version }));
	}
}

async function shadow({ version, shadow: on }, then) {
	if (on) return then(() => post('v1/models:unshadow'), () => t('shadowIsOff'));
	if (await confirm(t('shadowTitle', { version }), t('shadowSays'), t('shadowOn'))) then(() => post(path(version, '/shadow')), () => t('shadowIsOn', { version }));
}

function card(model, then) {
	const { version, origin, parent, made_by: by, created_at: at, live, counts } = model;
	const lessons = counts?.learned_from;
	// Only a server that can score in the shadow says whether it does.
	const shadows = 'shadow' in model && !live;
	return h(
		`article.model${live ? '.is-live' : ''}`, { 'aria-label': version },
		h(
			'header', {}, h('h3', {}, version), live && h('span.mark.live', {}, t('live')), model.shadow && h('span.mark.beside', {}, t('shadow')), counts?.forced && h('span.mark.bad', {}, t('forced')),
			h(
				'span.actions.row', {},
				h('a', { href: `../${path(version, '/report')}` }, t('report')),
				shadows && h('button', { onclick: () => shadow(model, then) }, t(model.shadow ? 'shadowOff' : 'shadowOn')),
				!live && h('button', { onclick: () => activate(model, then) }, t('activate')),
			),
		),
		h('p.dim.say', {}, h('span', {}, t(`o.${origin}`)), parent && h('span', {}, t('from', { parent })), by && h('span', {}, t('by', { by })), when(at), lessons != null && h('span', {}, t('learnedFrom', { n: lessons }))),
		figures(version),
	);
}

// Asked for when somebody wants to see it.
function figures(version) {
	const content = h('div');
	const ontoggle = async ({ target }) => {
		if (!target.open || content.firstChild) return;
		fill(content, t('loading'));
		fill(content, await get(path(version)).then(({ figures: all }) => compared(all), ({ message }) => message));
	};
	return h('details', { ontoggle }, h('summary', {}, t('oldNew')), content);
}

function compared({ live, compared: sets, checks = [] } = {}) {
	const rows = LABELS.flatMap((label) => ['site', 'replay', 'own'].flatMap((on) => {
		const both = sets?.[on]?.[label]?.all;
		if (!both) return [];
		const { live: before, candidate, gain } = both;
		return [[t(`r.${label}`), t(`on.${on}`), fixed(before), fixed(candidate), signed(candidate - before), t('range', { low: signed(gain.low), high: signed(gain.high) })]];
	}));
	const failed = checks.filter(({ passed }) => !passed);
	if (!rows.length) return h('p.say', {}, t('noComparison'));
	return [
		h('p.say', {}, t('against', { live }), ' ', failed.length ? h('span.bad', {}, t('notMet', { what: failed.map(({ name }) => name).join('; ') })) : h('span.good', {}, t('allMet'))),
		table(t('oldNew'), [t('label'), t('on'), t('before'), t('after'), t('gain'), t('interval')], rows),
	];
}

// What the model in the shadow would have done otherwise.
async function compare(place, version) {
	const { live, compared: n, would, judged, labels, items } = await get(path(version, '/comparison'), { limit: 20 });
	const row = (name) => [t(`would.${name}`), fixed(would[name], 0), judged?.[name] ? fixed(judged[name].wrong, 0) : '–', judged?.[name] ? fixed(judged[name].fine, 0) : '–'];
	const auc = (both, side) => (both ? fixed(both[side]) : '–');
	fill(
		place, h('h3', {}, t('shadowTitle2', { version, live })), h('p.say', {}, t('compared', { n })),
		table(t('shadow'), [t('waits'), t('comments'), t('judgedWrong'), t('judgedFine')], ['hold_both', 'hold_live_only', 'hold_shadow_only', 'hold_neither'].map(row)),
		table(t('byLabel'), [t('label'), t('would.hold_live_only'), t('would.hold_shadow_only'), t('before'), t('after')], labels.map((one) => [t(`r.${one.label}`), fixed(one.hold_live_only, 0), fixed(one.hold_shadow_only, 0), auc(one.auc, 'live'), auc(one.auc, 'shadow')])),
		items.length > 0 && table(t('differMost'), [t('comment'), t('waits'), t('label'), t('scoreLive'), t('scoreNew'), t('verdict')], items.map(differing)),
	);
}

function differing({ comment, site, thread, live, shadow: next, verdict, label, judged }) {
	const text = h('button.link', { onclick: () => reveal(text, comment, site) }, `${site} · ${thread}`);
	return [text, t(`v.${verdict}`), t(`r.${label}`), share(live[label]), share(next[label]), judged ? t(`j.${judged}`) : '–'];
}

// A text is read where it is: here are only ids.
async function reveal(button, id, site) {
	const words = await get(`v1/comments/${encodeURIComponent(id)}`, { site }).then(({ body }) => body ?? t('removed'), ({ message }) => message);
	button.replaceWith(h('bdi', { dir: 'auto' }, words));
}
