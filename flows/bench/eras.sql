-- Dispensings of a drug joined where at most $gap uncovered days lie between; one row per era.
--
-- An era opens where a dispensing starts more than $gap days after all earlier supply has ended. Only these rows are
-- kept. The era ends where supply had ended when the next one opens, and holds the rows in between, so that no second
-- pass over all dispensings has to number and group them. `dispensings` are the canonical Parquet files.
WITH supplies AS (
    SELECT person, atc, date AS day, date + coalesce(days, 0) AS end_excl FROM dispensings
),
seen AS (
    SELECT
        person, atc, day,
        max(end_excl) OVER (line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_before,
        row_number() OVER line AS place,
        max(end_excl) OVER drug AS covered_at_last,
        count(*) OVER drug AS n_rows
    FROM supplies
    WINDOW drug AS (PARTITION BY person, atc), line AS (PARTITION BY person, atc ORDER BY day)
),
openings AS (
    SELECT * FROM seen WHERE covered_before IS NULL OR day > covered_before + $gap
)
SELECT
    person, atc, day AS start_date,
    lead(covered_before, 1, covered_at_last) OVER eras AS end_excl,
    lead(place, 1, n_rows + 1) OVER eras - place AS n_dispensings
FROM openings
WINDOW eras AS (PARTITION BY person, atc ORDER BY place)
