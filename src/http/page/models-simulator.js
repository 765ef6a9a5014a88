// Trying thresholds on what a site received before using them: a slider for each label over what it costs and what it finds.
import { get, post, put } from './api.js';
import { fill, h, select, svg } from './dom.js';
import { confirm, fixed, head, LABELS, share, table } from './models-parts.js';
import { digits, t } from './words.js';

const PERIODS = [7, 30, 90];
// Sliders move in log-odds: as far from .01 to .02 as from .98 to .99.
const ENDS = { min: -7, max: 7, step: 0.05 };
// The plot's own units.
const WIDTH = 300;
const HEIGHT = 150;
const LEFT = 34;
const BOTTOM = 28;
const TOP = 18;
const RIGHT = 8;

const odds = (score) => Math.min(Math.max(Math.log(score / (1 - score)), ENDS.min), ENDS.max);
const score = (value) => Number((1 / (1 + Math.exp(-value))).toPrecision(4));
const near = (a, b) => Math.abs(a - b) <= 1e-4 * Math.max(a, b);

export async function simulatorPart(section, { sites, say }) {
	if (!sites.length) return false;
	const choice = select({ 'aria-label': t('siteOne'), onchange: () => begin() }, sites.map((slug) => [slug, slug]), sites[0]);
	const period = select({ 'aria-label': t('period'), onchange: () => begin() }, PERIODS.map((n) => [n, t('days', { n })]), 30);
	const content = h('div');
	let shown;
	const begin = async () => {
		const mine = new Simulator(choice.value, Number(period.value), say);
		shown = mine;
		const drawn = await mine.begin().catch(({ message }) => h('p.bad', { role: 'alert' }, message));
		// Another site may have been chosen meanwhile.
		if (shown === mine) fill(content, drawn);
	};
	fill(section, head('simulator', choice, period), h('p.say', {}, t('simulatorSays')), content);
	await begin();
	return true;
}

class Simulator {
	// What was chosen for each label; null is as the policy has it.
	#hold = Object.fromEntries(LABELS.map((label) => [label, null]));
	#asked = 0;
	#moved = false;
	#busy = false;

	constructor(site, days, say) {
		Object.assign(this, { site, days, say });
		this.path = `v1/sites/${encodeURIComponent(site)}/policy`;
	}

	async begin() {
		const seen = await this.#ask({});
		this.outcome = h('div');
		this.rows = Object.fromEntries(LABELS.map((label) => [label, this.#row(label)]));
		this.most = h('input', { type: 'number', min: 0, step: 1, name: 'cards', inputmode: 'numeric' });
		this.saving = h('button.primary', { onclick: () => this.#save() }, t('saveThresholds'));
		this.#show(seen);
		return [
			h('p.say', {}, t('seenOf', { n: seen.received, days: t('days', { n: Number(seen.days.toFixed(1)) }), hidden: seen.hidden, approved: seen.approved })),
			seen.hidden === 0 && h('p.say.bad', {}, t('nothingHidden')),
			h('form.row', { onsubmit: (event) => { event.preventDefault(); this.#find(); } }, h('label', {}, t('atMost'), this.most, t('cardsADay')), h('button', {}, t('findThresholds')), h('span.dim.say', {}, t('constraintsSay'))),
			h('p.legend', {}, ['now', 'model', 'tried'].map((name) => h('span', {}, svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, marker(name, 8, 8)), t(`m.${name}`)))),
			h('div.labels', {}, LABELS.map((label) => this.rows[label].element)),
			this.outcome,
			h('p.row', {}, this.saving, h('button', { onclick: () => this.#reset() }, t('asBefore'))),
		];
	}

	// The newest question's answer, or nothing.
	async #ask(body) {
		this.#asked += 1;
		const mine = this.#asked;
		const seen = await post(`${this.path}:simulate`, { days: this.days, curves: true, ...body });
		return mine === this.#asked ? seen : null;
	}

	async #try(body) {
		const seen = await this.#ask(body);
		if (seen) this.#show(seen);
		return seen;
	}

	// One question at a time while a slider moves, and one for where it stops.
	async #follow() {
		this.#moved = true;
		if (this.#busy) return;
		this.#busy = true;
		try {
			while (this.#moved) {
				this.#moved = false;
				await this.#try({ hold: this.#hold });
			}
		} catch ({ message }) {
			this.say(message);
		} finally {
			this.#busy = false;
		}
	}

	#reset() {
		for (const label of LABELS) this.#hold[label] = null;
		return this.#try({}).catch(({ message }) => this.say(message));
	}

	// Thresholds that do what is asked, which the sliders then show.
	async #find() {
		const least = Object.fromEntries(LABELS.map((label) => [label, this.rows[label].least.value]).filter(([, value]) => value !== '').map(([label, value]) => [label, Number(value) / 100]));
		const most = this.most.value === '' ? null : Number(this.most.value);
		if (most === null && !Object.keys(least).length) return this.say(t('noConstraint'));
		try {
			const seen = await this.#ask({ min_found: least, max_cards_a_day: most });
			if (!seen) return;
			for (const label of LABELS) this.#hold[label] = near(seen.tried.hold[label], seen.now.hold[label]) ? null : seen.tried.hold[label];
			this.#show(seen);
			const fits = most === null || seen.tried.cards_a_day <= most;
			this.say(fits ? t('foundThem', { cards: fixed(seen.tried.cards_a_day, 1) }) : t('notBoth', { cards: fixed(seen.tried.cards_a_day, 1) }));
		} catch ({ message }) {
			this.say(message);
		}
	}

	#row(label) {
		const id = `hold-${label}`;
		const slider = h('input', { type: 'range', id, ...ENDS, 'aria-label': t('threshold', { what: t(`r.${label}`) }), oninput: () => { this.#hold[label] = score(Number(slider.value)); this.#follow(); } });
		const shown = h('output', { for: id });
		const plot = h('div');
		const found = h('p');
		const least = h('input', { type: 'number', min: 0, max: 100, step: 'any', name: `least-${label}`, inputmode: 'decimal' });
		const element = h('div.label', { role: 'group', 'aria-label': t(`r.${label}`) }, h('header', {}, h('h3', {}, t(`r.${label}`)), shown), plot, slider, found, h('label', {}, t('findAtLeast'), least, '%'));
		return { element, slider, shown, plot, found, least };
	}

	#show(seen) {
		this.seen = seen;
		for (const [index, label] of LABELS.entries()) {
			const row = this.rows[label];
			const at = seen.tried.hold[label];
			// Who moves it further while an answer comes is not pulled back.
			row.slider.value = odds(this.#hold[label] ?? at);
			row.slider.setAttribute('aria-valuetext', t('outcomeSays', { at: digits(at, { maximumSignificantDigits: 3 }), cards: fixed(seen.tried.cards_a_day, 1), misses: seen.tried.misses }));
			row.shown.textContent = t('heldFrom', { at: digits(at, { maximumSignificantDigits: 3 }) });
			const { hidden, found } = seen.tried.labels[index];
			row.found.textContent = hidden ? t('foundOf', { found, hidden, share: share(found / hidden, 0) }) : t('foundNone');
			fill(row.plot, plot(label, seen));
		}
		const line = (name, { cards_a_day: cards, misses, false_alarms: alarms }) => [t(`m.${name}`), fixed(cards, 1), digits(misses), seen.hidden ? share(1 - misses / seen.hidden) : '–', digits(alarms)];
		fill(this.outcome, table(t('simulator'), [t('thresholds'), t('cardsADay'), t('misses'), t('foundShare'), t('falseAlarms')], [line('now', seen.now), line('tried', seen.tried)]));
		this.saving.disabled = !this.#changes().length;
	}

	#changes() {
		return LABELS.filter((label) => this.#hold[label] !== null && !near(this.#hold[label], this.seen.now.hold[label]));
	}

	// All else of the policy stays as it is just then.
	async #save() {
		const changes = this.#changes();
		const chosen = Object.fromEntries(changes.map((label) => [label, this.#hold[label]]));
		const short = (value) => digits(value, { maximumSignificantDigits: 3 });
		const list = h('ul', {}, changes.map((label) => h('li', {}, t('fromTo', { what: t(`r.${label}`), from: short(this.seen.now.hold[label]), to: short(chosen[label]) }))));
		if (!await confirm(t('saveTitle', { site: this.site }), [list, t('saveSays')], t('saveThresholds'))) return;
		try {
			const policy = await get(this.path);
			await put(this.path, { ...policy, hold: { ...policy.hold, ...chosen } });
			await this.#reset();
			this.say(t('savedThresholds', { site: this.site }));
		} catch ({ message }) {
			this.say(message);
		}
	}
}

// A diamond is today's, a square the model's, a disc what is tried: one fits into the other.
function marker(name, x, y) {
	if (name === 'tried') return svg('circle', { class: 'mk is-tried', cx: x, cy: y, r: 3 });
	const size = name === 'now' ? 4.5 : 7;
	return svg('rect', { class: `mk is-${name}`, x: x - size, y: y - size, width: 2 * size, height: 2 * size, transform: name === 'now' ? `rotate(45 ${x} ${y})` : null });
}

// The next number of one digit that has a half in whole numbers; 2 at least.
function round(value) {
	const unit = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
	const next = Math.ceil(value / unit) * unit;
	return Math.max(unit === 1 ? next + (next % 2) : next, 2);
}

// Misses over cards a day: down and left is better, and a label's threshold moves along its line.
function plot(label, { curves, tried, now, model }) {
	const { points } = curves.find((curve) => curve.label === label);
	const most = round(Math.max(...points.map((point) => point.cards_a_day), tried.cards_a_day));
	const worst = round(Math.max(...points.map((point) => point.misses), tried.misses));
	const x = (cards) => LEFT + (WIDTH - LEFT - RIGHT) * (cards / most);
	const y = (misses) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - misses / worst);
	const at = (threshold) => points.findLast((point) => point.at <= threshold) ?? points[0];
	const place = (point) => [x(point.cards_a_day), y(point.misses)];
	const parts = [0, 0.5, 1];
	const line = (ends) => svg('line', ends);
	const axes = parts.flatMap((part) => [
		line({ x1: x(0), x2: x(most), y1: y(worst * part), y2: y(worst * part), class: part ? null : 'axis' }),
		line({ x1: x(most * part), x2: x(most * part), y1: y(0), y2: y(worst), class: part ? null : 'axis' }),
		svg('text', { x: LEFT - 4, y: y(worst * part) + 3, 'text-anchor': 'end' }, digits(worst * part)),
		svg('text', { x: x(most * part), y: HEIGHT - 16, 'text-anchor': ['start', 'middle', 'end'][part * 2] }, digits(most * part)),
	]);
	const [first, last] = [points[0], points.at(-1)];
	const said = t('plotSays', { what: t(`r.${label}`), cards: fixed(first.cards_a_day, 1), misses: first.misses, cards2: fixed(last.cards_a_day, 1), misses2: last.misses });
	return svg(
		'svg', { class: 'plot', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': said },
		axes,
		svg('text', { x: WIDTH - RIGHT, y: HEIGHT - 3, 'text-anchor': 'end' }, t('axisCards')),
		svg('text', { x: 0, y: 9 }, t('axisMisses')),
		svg('polyline', { points: points.map(place).join(' ') }),
		marker('tried', x(tried.cards_a_day), y(tried.misses)), marker('now', ...place(at(now.hold[label]))), marker('model', ...place(at(model[label]))),
	);
}
