-- One verdict per episode and definition, from the canonical tables: the episodes of depression, then the trials and
-- the counts of three definitions. What each part does is said above it.
--
-- Tables: persons, coverage, diagnoses, dispensings and procedures are the canonical Parquet files. Made before the
-- clock starts, in DuckDB's favour, from the shipped code lists and for the codes that occur only:
--
--     drugs          atc, drug (its number), and for each treatment group whether the drug is in it
--     contact_codes  code_system, code, is_remission: the codes of depression and of its remission
--     exclusions     definition_id, code_system, code: the diagnoses that a definition excludes
--     treating_drugs, treating_procedures: atc or treatment of what treats depression
--
-- Written as one would for DuckDB and nothing else: in sets and windows. It reads only the columns it needs, holds
-- intermediate tables where they are used twice, and treats gaps and islands without a correlated query per row. The
-- constants are those of the shipped definitions.
WITH RECURSIVE
-- 1. Episodes. A line of contacts is cut by remission codes and where a new time of observation begins; on it,
--    contacts at most $gap days apart are one chain. The sums that number chains and eras take rows of one day
--    together, whose order is not told, so that they get one number.
contacts AS (
    SELECT person, date AS day, greatest(date, end_date) AS last_day, is_remission
    FROM diagnoses JOIN contact_codes USING (code_system, code)
),
remissions AS (
    SELECT DISTINCT person, day AS remitted FROM contacts WHERE is_remission
),
coverage_seen AS (
    SELECT *, max(end_date) OVER (
        PARTITION BY person ORDER BY start_date, end_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS covered_to
    FROM coverage
),
coverage_numbered AS (
    SELECT *, sum((covered_to IS NULL OR start_date > covered_to + 1)::INT) OVER (
        PARTITION BY person ORDER BY start_date, end_date
    ) AS interval
    FROM coverage_seen
),
observed AS (
    SELECT person, min(start_date) AS observed_from, max(end_date) AS observed_to
    FROM coverage_numbered
    GROUP BY person, interval
),
lined AS (
    SELECT contacts.*, observed_from, observed_to, remitted
    FROM contacts
    ASOF LEFT JOIN observed ON contacts.person = observed.person AND contacts.day >= observed_from
    ASOF LEFT JOIN remissions ON contacts.person = remissions.person AND contacts.day > remitted
),
seen AS (
    SELECT *, max(last_day) OVER (
        PARTITION BY person, observed_from, remitted ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS seen_to
    FROM lined
),
chained AS (
    SELECT *, sum((seen_to IS NULL OR day > seen_to + $gap)::INT) OVER (
        PARTITION BY person, observed_from, remitted ORDER BY day
    ) AS chain
    FROM seen
),
chains AS (
    SELECT
        person,
        min(day) FILTER (NOT is_remission) AS start_day,
        max(last_day) AS last_day,
        max(day) FILTER (is_remission) AS remission,
        any_value(observed_from) AS observed_from,
        any_value(observed_to) AS observed_to
    FROM chained
    GROUP BY person, observed_from, remitted, chain
    HAVING start_day IS NOT NULL
),
--    An episode ends at remission, or a tail after its last contact; at the latest when the person is seen no more,
--    and always before the next episode. Treatment counts from some days before its start.
watched AS (
    SELECT
        *,
        coalesce(start_day <= observed_to, false) AS is_observed,
        greatest(
            start_day,
            least(death_date, CASE WHEN start_day <= observed_to THEN observed_to END, $period_end)
        ) AS observed_until
    FROM chains JOIN persons USING (person)
),
ended AS (
    SELECT *, greatest(start_day, least(coalesce(remission, last_day + $tail), observed_until)) AS own_end
    FROM watched
),
numbered AS (
    SELECT
        *,
        row_number() OVER line AS number,
        least(own_end, lead(start_day) OVER line - 1) AS end_day,
        greatest(
            start_day - $lead,
            least(lag(own_end, 1, start_day - $lead - 1) OVER line, start_day - 1) + 1
        ) AS treated_from
    FROM ended
    WINDOW line AS (PARTITION BY person ORDER BY start_day)
),
treated_on AS MATERIALIZED (
    SELECT person, date FROM dispensings SEMI JOIN treating_drugs USING (atc)
    UNION
    SELECT person, date FROM procedures SEMI JOIN treating_procedures USING (treatment)
),
--    What is begun after the end of an episode that may go on would be of it only if it did.
treated_after AS (
    SELECT person, start_day, min(date) AS treated_next
    FROM numbered JOIN treated_on USING (person)
    WHERE date > end_day
    GROUP BY ALL
),
episodes AS MATERIALIZED (
    SELECT
        row_number() OVER () AS episode,
        person_id || ':depression:' || number AS episode_id,
        person, end_day, treated_from, is_observed,
        -- A remission ends its trials; after it, as after a death, nothing more can come that would not be seen.
        CASE WHEN remission <= observed_until THEN end_day ELSE observed_until END AS taken_until,
        coalesce(remission <= observed_until, false) OR coalesce(death_date <= observed_until, false) AS is_over,
        CASE WHEN is_over THEN 'infinity'::DATE ELSE observed_until END AS seen_until,
        -- It has run out when the gap after the last contact has passed, which is longer than the tail.
        last_day + $gap <= observed_until AS has_run_out,
        CASE
            WHEN has_run_out AND coalesce(remission > observed_until, true) THEN 'infinity'::DATE
            WHEN is_over THEN end_day
        END AS runs_from,
        least(observed_until, treated_next - 1) AS treatment_seen_until,
        -- Seen from its true start until it is over.
        start_day - observed_from >= $prior AND (is_over OR has_run_out) AS is_followed_up
    FROM numbered LEFT JOIN treated_after USING (person, start_day)
    WHERE start_day BETWEEN $period_start AND $period_end
),

-- 2. Episodes that a definition does not speak about: an excluded diagnosis until the episode's end.
excluded AS (
    SELECT DISTINCT definition_id, episode
    FROM diagnoses
    JOIN exclusions USING (code_system, code)
    JOIN episodes USING (person)
    WHERE date <= end_day
),

-- 3. What was dispensed in each episode.
supplies AS MATERIALIZED (
    SELECT
        drugs.* EXCLUDE (atc), episode, runs_from, treatment_seen_until, taken_until, seen_until, date AS day,
        days, dose_ug, dose_mddd, kind
    FROM dispensings
    JOIN drugs USING (atc)
    JOIN episodes USING (person)
    WHERE date BETWEEN treated_from AND end_day
),

-- 4. dep_psychemerge_2 knows a drug by the dates of its prescriptions and dispensings; at most 182 days between two are
--    bridged. It is in use from the first to the last of them; dispensed on one day, until the next drug starts, if
--    within 98 days.
dates AS (
    SELECT
        episode, drug, runs_from, treatment_seen_until, seen_until, day,
        lag(day) OVER (PARTITION BY episode, drug ORDER BY day) AS day_before
    FROM supplies
    WHERE antidepressants AND kind <> 'administered'
),
dates_numbered AS (
    SELECT *, sum((day_before IS NULL OR day > day_before + 182)::INT) OVER (
        PARTITION BY episode, drug ORDER BY day
    ) AS era
    FROM dates
),
used AS (
    SELECT
        episode, drug, era,
        min(day) AS start_day, max(day) AS last_day,
        any_value(seen_until) AS seen_until, any_value(runs_from) AS runs_from,
        any_value(treatment_seen_until) AS treatment_seen_until
    FROM dates_numbered
    GROUP BY episode, drug, era
),
next_drugs AS (
    SELECT used.episode, used.drug, used.era, min(other.start_day) AS next_day
    FROM used JOIN used AS other
        ON other.episode = used.episode AND other.drug <> used.drug AND other.start_day > used.last_day
    GROUP BY ALL
),
trials_by_date AS (
    SELECT
        episode, drug, next_day, seen_until,
        used.last_day = start_day AND coalesce(next_day - start_day <= 98, false) AS is_prolonged,
        CASE WHEN is_prolonged THEN next_day - 1 ELSE used.last_day END AS last_day,
        CASE WHEN is_prolonged THEN next_day ELSE used.last_day END - start_day AS n_days,
        CASE WHEN is_prolonged THEN next_day - 1 ELSE used.last_day END
        >= coalesce(runs_from, treatment_seen_until - 182) AS may_run,
        CASE WHEN is_prolonged THEN next_day ELSE used.last_day END + 182 > seen_until AS still_runs
    FROM used LEFT JOIN next_drugs USING (episode, drug, era)
),
--    It failed after 30 days if another antidepressant started after its last day, within 98 days. That is not known
--    if the person was not seen for as long, or not long enough to tell that the drug was not dispensed again beside
--    the other. Two different drugs must have failed.
switched AS (
    SELECT
        'dep_psychemerge_2' AS definition_id, episode,
        count(DISTINCT drug) FILTER (next_day <= last_day + 98 AND NOT may_run) >= 2 AS is_met,
        count(DISTINCT drug) FILTER (next_day <= last_day + 98 OR last_day + 98 > seen_until) >= 2 AS may_be_met
    FROM trials_by_date
    WHERE n_days >= 30
    GROUP BY episode
),

-- 5. dep_fife_2017 carries leftover supply over, up to 90 days. Dispensings of a drug on one day at different known
--    doses are taken together, as long as the longest; those of one dose follow one another.
dosed AS MATERIALIZED (
    SELECT
        episode, drug, taken_until, day, days,
        CASE WHEN days IS NULL THEN NULL WHEN count(dose_ug) FILTER (days IS NOT NULL) OVER same_day > 1 THEN dose_ug
        ELSE dose_mddd END AS dose
    FROM supplies
    WHERE antidepressants
    WINDOW same_day AS (PARTITION BY episode, drug, day)
),
alike AS (
    SELECT
        episode, drug, day, dose,
        any_value(taken_until) AS taken_until, sum(days) AS n_days
    FROM dosed
    WHERE dose IS NOT NULL
    GROUP BY episode, drug, day, dose
),
together AS MATERIALIZED (
    SELECT episode, drug, day, any_value(taken_until) AS taken_until, max(n_days)::INT AS n_days
    FROM alike
    GROUP BY episode, drug, day
    HAVING count(*) > 1
),
apart AS (
    SELECT episode, drug, taken_until, day, coalesce(days, 0) AS n_days
    FROM dosed
    WHERE dose IS NULL OR (episode, drug, day) NOT IN (SELECT (episode, drug, day) FROM together)
),
--    How long a dispensing waits depends on the one before it and so on, which no window tells because of the limit.
--    So the dispensings of all drugs are taken by their rank: all first ones, all second ones, and so on, each a join
--    of the ones before with the next.
ranked AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY episode, drug ORDER BY day, n_days) AS place
    FROM (FROM apart UNION ALL BY NAME FROM together)
),
stocked AS (
    SELECT *, 0 AS wait, NULL::DATE AS covered_before, least(day + n_days, taken_until + 1) AS covered_to
    FROM ranked
    WHERE place = 1
    UNION ALL
    SELECT
        ranked.*,
        greatest(0, least(
            CASE WHEN ranked.day > stocked.day THEN 90 END, stocked.day + stocked.wait + stocked.n_days - ranked.day
        ))::INT AS own_wait,
        stocked.covered_to,
        greatest(stocked.covered_to, least(ranked.day + own_wait + ranked.n_days, ranked.taken_until + 1))
    FROM stocked JOIN ranked
        ON ranked.episode = stocked.episode AND ranked.drug = stocked.drug AND ranked.place = stocked.place + 1
),
--    A drug failed if another antidepressant was begun, or begun again, after it. Two different ones must have failed.
begun_on AS (
    SELECT episode, drug, min(day) AS first_day, max(day) AS last_day
    FROM stocked
    WHERE covered_before IS NULL OR day > covered_before + 30
    GROUP BY episode, drug
),
followed AS (
    SELECT 'dep_fife_2017' AS definition_id, episode, count(DISTINCT begun_on.drug) >= 2 AS is_met, is_met AS may_be_met
    FROM begun_on JOIN begun_on AS other USING (episode)
    WHERE other.drug <> begun_on.drug AND other.last_day > begun_on.first_day
    GROUP BY episode
),

-- 6. dep_ohdsi_1009 knows a drug by its supply; at most 30 uncovered days are bridged.
taken AS (
    SELECT
        *,
        least(day + coalesce(days, 0), taken_until + 1) AS end_excl,
        least(
            day + coalesce(days, least($max_days, min(day) OVER next_day - day), $max_days)::INT,
            taken_until + 1
        ) AS end_at_most
    FROM supplies
    WHERE antidepressants_1009 OR antipsychotics_1009 OR esketamine
    WINDOW next_day AS (PARTITION BY episode, drug ORDER BY day GROUPS BETWEEN 1 FOLLOWING AND 1 FOLLOWING)
),
taken_seen AS (
    SELECT *, max(end_excl) OVER before AS covered_before, max(end_at_most) OVER before AS perhaps_before
    FROM taken
    WINDOW before AS (PARTITION BY episode, drug ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
taken_numbered AS (
    SELECT
        *,
        sum((covered_before IS NULL OR day > covered_before + 30)::INT) OVER drug_line AS era,
        sum((perhaps_before IS NULL OR day > perhaps_before + 30)::INT) OVER drug_line AS perhaps_era
    FROM taken_seen
    WINDOW drug_line AS (PARTITION BY episode, drug ORDER BY day)
),
taken_at_most AS (
    SELECT *, max(end_at_most) OVER perhaps_one AS ended_at_most, max(day) OVER perhaps_one AS given_at_most
    FROM taken_numbered
    WINDOW perhaps_one AS (PARTITION BY episode, drug, perhaps_era)
),
--    A trial counts until 365 days after its last day. A supply of no known length lasts until the next one of the drug
--    at most, the last one as long as any may; so eras that are two may be one. A drug that is not dispensed again once
--    another is begun ends the day before, unless it may go on unseen.
spans_of_supply AS MATERIALIZED (
    SELECT
        episode, drug, era,
        any_value(antidepressants_1009) AS is_antidepressant,
        any_value(antipsychotics_1009) AS is_antipsychotic,
        any_value(esketamine) AS is_esketamine,
        min(day) AS start_day,
        max(day) AS last_given, max(given_at_most) AS given_at_most,
        max(end_excl) AS end_excl, greatest(max(day), max(ended_at_most) - 1) AS latest,
        coalesce(any_value(runs_from), any_value(treatment_seen_until) - 30) AS runs_from
    FROM taken_at_most
    GROUP BY episode, drug, era
),
spans AS MATERIALIZED (
    SELECT
        'dep_fife_2017' AS definition_id, episode, drug, era,
        min(day) AS first_day, max(day) AS last_given, max(covered_to) AS to_day
    FROM (
        SELECT *, sum((covered_before IS NULL OR day > covered_before + 30)::INT) OVER (
            PARTITION BY episode, drug ORDER BY place
        ) AS era
        FROM stocked
    )
    GROUP BY ALL
    UNION ALL
    SELECT 'dep_ohdsi_1009', episode, drug, era, start_day, last_given, end_excl
    FROM spans_of_supply
),
replaced AS MATERIALIZED (
    SELECT definition_id, one.episode, one.drug, one.era, min(other.first_day) AS next_day
    FROM spans AS one JOIN spans AS other USING (definition_id, episode)
    WHERE other.drug <> one.drug AND other.first_day > one.first_day
    GROUP BY ALL
),
trials AS (
    SELECT
        episode, drug, is_antidepressant, is_antipsychotic, is_esketamine, start_day,
        coalesce(last_given < next_day, false) AS is_left,
        greatest(last_given, CASE WHEN is_left THEN least(end_excl, next_day) ELSE end_excl END - 1) + 365
        AS counts_until,
        CASE
            WHEN is_left AND latest < runs_from AND given_at_most < next_day THEN least(latest, next_day - 1)
            ELSE latest
        END + 365 AS counts_at_most
    FROM spans_of_supply
    LEFT JOIN (FROM replaced WHERE definition_id = 'dep_ohdsi_1009') USING (episode, drug, era)
),
--    The index is the day a drug is begun: an antipsychotic with an antidepressant, a third antidepressant after two
--    begun before, or esketamine after two begun before.
begun AS (
    SELECT DISTINCT episode, start_day AS day, is_antidepressant, is_antipsychotic, is_esketamine FROM trials
),
looked_back AS (
    SELECT
        episode, day, begun.is_antidepressant, begun.is_antipsychotic, begun.is_esketamine,
        count(DISTINCT drug) FILTER (counts_until >= day) AS n,
        count(DISTINCT drug) FILTER (counts_until >= day AND start_day < day) AS n_before,
        count(DISTINCT drug) FILTER (counts_at_most >= day) AS n_perhaps,
        count(DISTINCT drug) FILTER (counts_at_most >= day AND start_day < day) AS n_before_perhaps
    FROM begun JOIN trials USING (episode)
    WHERE trials.is_antidepressant AND trials.start_day <= day
    GROUP BY ALL
),
third_drug AS (
    SELECT
        'dep_ohdsi_1009' AS definition_id, episode,
        bool_or(
            (is_antipsychotic AND n >= 1)
            OR (is_antidepressant AND n >= 3 AND n_before >= 2)
            OR (is_esketamine AND n_before >= 2)
        ) AS is_met,
        bool_or(
            (is_antipsychotic AND n_perhaps >= 1)
            OR (is_antidepressant AND n_perhaps >= 3 AND n_before_perhaps >= 2)
            OR (is_esketamine AND n_before_perhaps >= 2)
        ) AS may_be_met
    FROM looked_back
    GROUP BY episode
),

-- 7. Trials that still run. A drug that is not dispensed again once another is begun ends there.
running AS (
    SELECT DISTINCT definition_id, episode, true AS still_runs
    FROM spans LEFT JOIN replaced USING (definition_id, episode, drug, era) JOIN episodes USING (episode)
    WHERE seen_until
        < greatest(CASE WHEN last_given < next_day THEN least(to_day, next_day) ELSE to_day END, first_day) + 30
    UNION
    SELECT 'dep_psychemerge_2', episode, true FROM trials_by_date WHERE still_runs
),

-- 8. The verdicts. Of an episode that begins while nobody observes the person, nothing can be told; of one that was not
--    seen from its true start until it was over, and no trial of it still ran, not that it is not resistant.
met AS (
    FROM switched UNION ALL FROM followed UNION ALL FROM third_drug
),
definitions AS (
    SELECT unnest(['dep_psychemerge_2', 'dep_fife_2017', 'dep_ohdsi_1009']) AS definition_id
)
SELECT
    episode_id, definition_id,
    CASE
        WHEN excluded.episode IS NOT NULL THEN 'not_eligible'
        WHEN NOT is_observed THEN 'undetermined'
        WHEN is_met THEN 'resistant'
        WHEN may_be_met OR NOT is_followed_up OR still_runs THEN 'undetermined'
        ELSE 'not_resistant'
    END AS verdict
FROM episodes
CROSS JOIN definitions
LEFT JOIN excluded USING (definition_id, episode)
LEFT JOIN met USING (definition_id, episode)
LEFT JOIN running USING (definition_id, episode)
