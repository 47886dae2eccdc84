"""Figures for each place that keep themselves, so that an audience of millions is counted in milliseconds.

``broadcast_tally`` holds sums of changes (see ``broadcast.models.Tally``), written by the triggers below in the
transaction of the change. They also keep ``Address.tangled`` and the promise that an address with an open
refusal is opted out, whoever wrote it and however.

The statements run through ``EXECUTE``: plpgsql would keep the plan of a connection's first call, made for one row, and
a later import of thousands would run it as nested loops for minutes. Planned each time, they see the true row count.
"""

from django.db import migrations, models

_TANGLE = """
    EXECUTE $q$UPDATE broadcast_address SET tangled = true
    WHERE NOT tangled AND id IN (
        SELECT unnest(ARRAY[n.id, o.id]) FROM {rows} n
        JOIN broadcast_address o ON o.kind = n.kind AND o.value = n.value AND o.id <> n.id
        UNION ALL
        SELECT unnest(ARRAY[n.id, o.id]) FROM {rows} n
        JOIN broadcast_address o ON o.contact_id = n.contact_id AND o.kind = n.kind AND o.id <> n.id
    )$q$;
    EXECUTE $q$UPDATE broadcast_address a SET state = 'opted_out', state_at = now(), state_reason = r.source
    FROM {rows} n JOIN broadcast_refusal r ON r.kind = n.kind AND r.value = n.value AND r.withdrawn_at IS NULL
    WHERE a.id = n.id AND a.state <> 'opted_out'$q$;
"""

FUNCTIONS = f"""
CREATE FUNCTION broadcast_address_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE $q$INSERT INTO broadcast_tally (place_id, outlet, kind, state, n)
    SELECT c.place_id, c.kind = 'outlet', a.kind, a.state, count(*)
    FROM fresh a JOIN broadcast_contact c ON c.id = a.contact_id
    WHERE NOT a.tangled GROUP BY 1, 2, 3, 4$q$;
    {_TANGLE.format(rows="fresh")}
    RETURN NULL;
END $$;

CREATE FUNCTION broadcast_address_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE $q$INSERT INTO broadcast_tally (place_id, outlet, kind, state, n)
    SELECT c.place_id, c.kind = 'outlet', a.kind, a.state, -count(*)
    FROM gone a JOIN broadcast_contact c ON c.id = a.contact_id
    WHERE NOT a.tangled GROUP BY 1, 2, 3, 4$q$;
    RETURN NULL;
END $$;

CREATE FUNCTION broadcast_address_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved boolean;
BEGIN
    EXECUTE $q$INSERT INTO broadcast_tally (place_id, outlet, kind, state, n)
    SELECT c.place_id, c.kind = 'outlet', a.kind, a.state, sum(a.n)
    FROM (
        SELECT contact_id, kind, state, -1 AS n FROM gone WHERE NOT tangled
        UNION ALL
        SELECT contact_id, kind, state, 1 FROM fresh WHERE NOT tangled
    ) AS a JOIN broadcast_contact c ON c.id = a.contact_id
    GROUP BY 1, 2, 3, 4 HAVING sum(a.n) <> 0$q$;
    EXECUTE $q$SELECT EXISTS (
        SELECT FROM fresh JOIN gone USING (id)
        WHERE (fresh.kind, fresh.value, fresh.contact_id) IS DISTINCT FROM (gone.kind, gone.value, gone.contact_id)
            OR (gone.state = 'opted_out' AND fresh.state <> 'opted_out')
    )$q$ INTO moved;
    IF moved THEN
        {_TANGLE.format(rows="fresh")}
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION broadcast_contact_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE $q$INSERT INTO broadcast_tally (place_id, outlet, kind, state, n)
    SELECT place_id, kind = 'outlet', '', '', count(*) FROM fresh GROUP BY 1, 2$q$;
    RETURN NULL;
END $$;

CREATE FUNCTION broadcast_contact_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE $q$INSERT INTO broadcast_tally (place_id, outlet, kind, state, n)
    SELECT place_id, kind = 'outlet', '', '', -count(*) FROM gone GROUP BY 1, 2$q$;
    RETURN NULL;
END $$;

CREATE FUNCTION broadcast_contact_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE $q$INSERT INTO broadcast_tally (place_id, outlet, kind, state, n)
    WITH moved AS (
        SELECT id, gone.place_id AS from_place, gone.kind = 'outlet' AS from_outlet,
               fresh.place_id AS to_place, fresh.kind = 'outlet' AS to_outlet
        FROM gone JOIN fresh USING (id)
        WHERE gone.place_id <> fresh.place_id OR (gone.kind = 'outlet') <> (fresh.kind = 'outlet')
    ), counted AS (
        SELECT id, '' AS kind, '' AS state FROM moved
        UNION ALL
        SELECT a.contact_id, a.kind, a.state FROM broadcast_address a JOIN moved ON moved.id = a.contact_id
        WHERE NOT a.tangled
    )
    SELECT place, outlet, kind, state, sum(n) FROM (
        SELECT from_place AS place, from_outlet AS outlet, kind, state, -1 AS n FROM moved JOIN counted USING (id)
        UNION ALL
        SELECT to_place, to_outlet, kind, state, 1 FROM moved JOIN counted USING (id)
    ) AS change GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0$q$;
    RETURN NULL;
END $$;

CREATE FUNCTION broadcast_refusal_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE $q$UPDATE broadcast_address a SET state = 'opted_out', state_at = now(), state_reason = r.source
    FROM fresh r WHERE a.kind = r.kind AND a.value = r.value AND r.withdrawn_at IS NULL AND a.state <> 'opted_out'$q$;
    RETURN NULL;
END $$;

CREATE TRIGGER tally_added AFTER INSERT ON broadcast_address
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION broadcast_address_added();
CREATE TRIGGER tally_removed AFTER DELETE ON broadcast_address
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION broadcast_address_removed();
CREATE TRIGGER tally_changed AFTER UPDATE ON broadcast_address
    REFERENCING OLD TABLE AS gone NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION broadcast_address_changed();
CREATE TRIGGER tally_added AFTER INSERT ON broadcast_contact
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION broadcast_contact_added();
CREATE TRIGGER tally_removed AFTER DELETE ON broadcast_contact
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION broadcast_contact_removed();
CREATE TRIGGER tally_changed AFTER UPDATE ON broadcast_contact
    REFERENCING OLD TABLE AS gone NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION broadcast_contact_changed();
CREATE TRIGGER refusal_added AFTER INSERT ON broadcast_refusal
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION broadcast_refusal_added();
"""

# What was there before: as the triggers would have had it.
FILL = """
UPDATE broadcast_address a SET state = 'opted_out', state_at = now(), state_reason = r.source
FROM broadcast_refusal r
WHERE r.kind = a.kind AND r.value = a.value AND r.withdrawn_at IS NULL AND a.state <> 'opted_out';
UPDATE broadcast_address SET tangled = true WHERE id IN (
    SELECT id FROM (
        SELECT id, count(*) OVER (PARTITION BY kind, value) AS sharing,
               count(*) OVER (PARTITION BY contact_id, kind) AS several
        FROM broadcast_address
    ) AS a WHERE sharing > 1 OR several > 1);
INSERT INTO broadcast_tally (place_id, outlet, kind, state, n)
SELECT c.place_id, c.kind = 'outlet', '', '', count(*) FROM broadcast_contact c GROUP BY 1, 2
UNION ALL
SELECT c.place_id, c.kind = 'outlet', a.kind, a.state, count(*)
FROM broadcast_address a JOIN broadcast_contact c ON c.id = a.contact_id WHERE NOT a.tangled GROUP BY 1, 2, 3, 4;
"""

UNDO = """
DROP FUNCTION broadcast_address_added, broadcast_address_removed, broadcast_address_changed,
    broadcast_contact_added, broadcast_contact_removed, broadcast_contact_changed, broadcast_refusal_added CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("broadcast", "0022_slots")]

    operations = [
        migrations.AddField("address", "tangled", models.BooleanField(default=False, db_default=False, editable=False)),
        migrations.AddIndex(
            "address",
            models.Index(fields=["kind", "value"], name="address_tangled", condition=models.Q(tangled=True)),
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place_id", models.IntegerField()),
                ("outlet", models.BooleanField()),
                ("kind", models.CharField(max_length=16)),
                ("state", models.CharField(max_length=12)),
                ("n", models.IntegerField()),
            ],
            options={"indexes": [models.Index(fields=["place_id", "kind"], name="tally_place_kind")]},
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, UNDO),
    ]
