"""The queries of the readers, as SQL text. Those of many rows answer one JSON text; see ``sql.py``."""

from sqlalchemy import BindParameter, ColumnClause, and_, bindparam, func, literal_column, or_, select

from gorchestrator.common.states import State
from gorchestrator.store.sql import OPEN, json_rows, limited, named
from gorchestrator.store.tables import (
    attempts,
    counter,
    documents,
    events,
    layouts,
    log_chunks,
    nodes,
    owners,
    resolutions,
    specs,
    tasks,
    totals,
)

_of_task: BindParameter[str] = bindparam("task")
_limit: BindParameter[int] = bindparam("limit")
_FINAL: ColumnClause[int] = literal_column(str(int(State.SUCCESS)))

TASK = named(select(tasks).where(tasks.c.id == _of_task))
_newest = select(events.c.seq, events.c.at).where(events.c.task == _of_task).order_by(events.c.seq.desc())
NEWEST_OF_TASK = named(limited(_newest, literal_column("1")))
HAS_EVENT = named(select(literal_column("1")).where(events.c.seq == bindparam("seq")))
KEPT = named(select(counter.c.pruned, counter.c.seq))

TOTALS = named(select(totals.c.state, totals.c.n))
_counted = func.json_each(tasks.c.counts).table_valued("key", "value", name="counted")
OPEN_NODES = named(
    select(_counted.c.key, func.sum(_counted.c.value))
    .select_from(tasks.join(_counted, literal_column("1")))
    .where(OPEN)
    .group_by(_counted.c.key)
)

OPEN_TASKS = json_rows(select(tasks).where(OPEN).order_by(tasks.c.accepted_at, tasks.c.id))
DIGRAPH = named(select(documents.c.digraph).where(documents.c.task == _of_task))
LAYOUT = named(select(layouts.c.layout).where(layouts.c.task == _of_task))
#: The ``needs`` of all nodes as one JSON array, without the rest of what was submitted.
_needs = select(func.json_extract(specs.c.spec, literal_column("'$.needs'")).label("needs"))
_needs = _needs.where(specs.c.task == _of_task).order_by(specs.c.node)
NEEDS = named(select(func.json_group_array(func.json(_needs.subquery("found").c.needs))))

_node = select(specs.c.spec, specs.c.node, *[column for column in nodes.c if column.name not in {"task", "node"}])
_node = _node.select_from(
    specs.outerjoin(nodes, and_(nodes.c.task == specs.c.task, nodes.c.node == specs.c.node))
).where(specs.c.task == _of_task)
NODES = json_rows(limited(_node.where(specs.c.node >= bindparam("first")).order_by(specs.c.node), _limit))
NODE_BY_NUMBER = named(_node.where(specs.c.node == bindparam("wanted")))
NODE_BY_NAME = named(_node.where(specs.c.name == bindparam("wanted")))

_attempt = select(attempts).where(attempts.c.task == _of_task).order_by(attempts.c.node, attempts.c.attempt)
RUNNING_ATTEMPTS = json_rows(_attempt.where(attempts.c.state < literal_column(str(int(State.SUCCESS)))))

RESOLUTIONS = json_rows(select(resolutions).where(resolutions.c.task == _of_task))

#: ``ids``: a JSON array of arrays of task, node and attempt.
_wanted = func.json_each(bindparam("ids")).table_valued("value", name="wanted")
FINAL_ATTEMPTS = json_rows(
    select(attempts.c.task, attempts.c.node, attempts.c.attempt, tasks.c.fence).select_from(
        _wanted.join(
            attempts,
            and_(
                *[
                    attempts.c[name] == func.json_extract(_wanted.c.value, literal_column(f"'$[{place}]'"))
                    for place, name in enumerate(("task", "node", "attempt"))
                ],
            ),
        ).join(tasks, and_(tasks.c.id == attempts.c.task, or_(attempts.c.state >= _FINAL, tasks.c.state >= _FINAL)))
    )
)

_of_log = and_(
    log_chunks.c.task == _of_task,
    log_chunks.c.node == bindparam("node"),
    log_chunks.c.attempt == bindparam("attempt"),
)
_ends = select(log_chunks.c.offset + func.length(log_chunks.c.data)).where(_of_log)
_ends = limited(_ends.order_by(log_chunks.c.offset.desc()), literal_column("1"))
LOG_END = named(_ends)
LOG_END_BEFORE = named(_ends.where(log_chunks.c.offset < bindparam("before")))
LOG_NEXT = named(select(func.min(log_chunks.c.offset)).where(_of_log, log_chunks.c.offset >= bindparam("after")))
#: The chunk in which ``first`` lies, and those behind it. Hexadecimal, since JSON holds no bytes.
LOG = json_rows(
    select(log_chunks.c.offset, func.hex(log_chunks.c.data))
    .where(
        _of_log,
        log_chunks.c.offset < bindparam("stop"),
        log_chunks.c.offset
        >= func.coalesce(
            select(func.max(log_chunks.c.offset))
            .where(_of_log, log_chunks.c.offset <= bindparam("first"))
            .scalar_subquery(),
            literal_column("0"),
        ),
    )
    .order_by(log_chunks.c.offset)
)

#: The attempts of a node behind ``after``, each with the end of its log: so many that their arguments, which may be
#: large, do not go beyond ``enough`` characters before the last of them.
_log_end = select(log_chunks.c.offset + func.length(log_chunks.c.data)).order_by(log_chunks.c.offset.desc())
_log_end = _log_end.where(*[log_chunks.c[name] == attempts.c[name] for name in ("task", "node", "attempt")])
_args = func.length(attempts.c.args)
_before = func.sum(_args).over(order_by=attempts.c.attempt) - _args
_page = limited(
    select(
        attempts,
        func.coalesce(limited(_log_end, literal_column("1")).scalar_subquery(), literal_column("0")).label("log_size"),
        _before.label("before"),
    )
    .where(attempts.c.task == _of_task, attempts.c.node == bindparam("node"), attempts.c.attempt > bindparam("after"))
    .order_by(attempts.c.attempt),
    _limit,
).subquery("page")
ATTEMPTS = json_rows(select(_page).where(_page.c.before < bindparam("enough")).order_by(_page.c.attempt))

_event = limited(select(events).where(events.c.seq > bindparam("after")).order_by(events.c.seq), _limit)
EVENTS = json_rows(_event)
TASK_EVENTS = json_rows(_event.where(events.c.task == _of_task))
LAST_SEQ = named(select(counter.c.seq))
LAST_SEQ_OF_TASK = named(select(func.max(events.c.seq)).where(events.c.task == _of_task))
OWNERS = named(select(owners).order_by(owners.c.id))
