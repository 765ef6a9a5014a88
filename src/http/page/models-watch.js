// How much the machine misses, where it and moderators differ, and whether moderators agree with one another.
import { get } from './api.js';
import { fill, h, select, theirs, totals } from './dom.js';
import { head, isMissing, share, fixed, table } from './models-parts.js';
import { t } from './words.js';

// False where the server knows nothing of all this.
export async function watchPart(section, { sites }) {
	const choice = select({ 'aria-label': t('siteOne'), onchange: () => load() }, [['', t('site')], ...sites.map((slug) => [slug, slug])]);
	const content = h('div');
	const load = async () => {
		const site = choice.value;
		const ask = (path, query) => get(path, { site, ...query }).catch((problem) => { if (isMissing(problem)) return null; throw problem; });
		const parts = await Promise.all([ask('v1/recall'), ask('v1/agreement'), ask('v1/disagreements', { limit: 20 })]);
		const [recall, agreement, disagreements] = parts;
		fill(content, recall && drawRecall(recall), agreement && drawAgreement(agreement), disagreements && drawDisagreements(disagreements.items));
		return parts.some(Boolean);
	};
	fill(section, head('watch', sites.length > 1 && choice), content);
	return sites.length > 0 && load();
}

function drawRecall({ sampled, judged, missed_estimate: missed, recall }) {
	return [
		h('h3', {}, t('recall')), h('p.say', {}, t('recallSays')),
		totals([[t('recallSampled'), sampled], [t('recallJudged'), judged], ...(missed == null ? [] : [[t('recallMissed'), missed]])]),
		h('p.say', {}, recall ? t('recallIs', { value: share(recall.value), low: share(recall.low), high: share(recall.high) }) : t('recallUnknown')),
	];
}

function drawAgreement({ pairs, agreed, share: part, kappa }) {
	return [h('h3', {}, t('agreement')), h('p.say', {}, pairs ? t('agreementIs', { agreed, pairs, share: share(part), kappa: fixed(kappa, 2) }) : t('agreementNone'))];
}

function drawDisagreements(items) {
	const row = ({ comment, label, score, decided }) => [h('td.words', {}, theirs(comment.body ?? t('removed'))), t(`r.${label}`), share(score), t(decided ? 'yes' : 'no')];
	return [
		h('h3', {}, t('disagreements')), h('p.say', {}, t(items.length ? 'disagreementsSay' : 'disagreementsNone')),
		items.length > 0 && table(t('disagreements'), [t('label'), t('machine'), t('moderatorSaid'), t('comment')], items.map(row).map(([text, label, ...rest]) => [label, ...rest, text])),
	];
}
