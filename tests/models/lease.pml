/* One lease, two nodes that want it, and voters whose leader changes and whose clocks run too fast or too slow: grant,
 * renewal, expiry, release and fencing. spin explores every run of it within the bounds below; runs.txt says which bounds
 * and which weakenings are run, and check_model.py judges.
 *
 * What must hold (the assertions):
 *   - at any true instant at most one node relies on the lease (in rely);
 *   - of two that held it in turn the later one has the higher token (in take_answer);
 *   - a renewal prolongs the lease that it was asked for, or none (in run_renewals);
 *   - what is behind a FenceGate is never used with a token below one that it was used with before (in admit).
 *
 * Step here          what it stands for in runtime/dunlin
 *   become_leader      consensus/election.cpp: Consensus::become_leader, start_term; a winner: no voter with a newer log refuses it
 *   latest_time        consensus/cluster_clock.cpp: ClusterClock::on_heartbeat, following, lead
 *   append             consensus/leading.cpp: Consensus::append_entry, its time from ClusterClock::leading
 *   commit             consensus/leading.cpp: Consensus::advance_commit; only entries of its own term count
 *   apply              ledger/ledger.cpp: Ledger::apply, expire_leases, run_acquire, run_release, apply_renewals
 *   propose_command    ledger/service.cpp: Service::take_command, find_same, answered_before
 *   propose_renewal    ledger/service.cpp: Service::on_renew, flush_renewals; as_of: what this leader has applied
 *   ask, give_up       ledger/client.cpp: Client::acquire, give_up; the age runs from Client::write_command's first_sent
 *   take_answer        ledger/client_replies.cpp: Client::on_command_reply; lease_holder.cpp: LeaseHolder::on_granted
 *   start_renewal      ledger/lease_holder.cpp: LeaseHolder::hold, write_records (renewal_first_sent)
 *   take_renewal       ledger/service.cpp: Service::answer_renewals; lease_holder.cpp: LeaseHolder::on_record, on_renewed
 *   release            ledger/lease_holder.cpp: LeaseHolder::start_release
 *   VALIDITY           ledger/lease_holder.cpp: lease_validity
 *   run_holder         ledger/lease_holder.hpp: LeaseView::valid_for
 *   use                a publish to a fenced topic after valid_for() said yes; it may arrive at any time later
 *   admit, and after   bus/fence_gate.cpp: FenceGate::admit, durable, replay after a restart
 *
 * Time. In a tick of true time each clock counts SLOW or FAST, its choice anew each time: 1 or 2 where 1.5 is right, so rho
 * is 1/3 (so large, so that few ticks show what it does). All else happens between ticks, any number of things at one
 * instant. No two clocks agree, so only differences are kept: cluster time from the last committed entry on, a holder's
 * ages and what is left of its validity on its own clock.
 *
 * Network. What was sent can arrive at any time later, any number of times, in any order, or never: a request is there from
 * its first transmission on, an answer from when it was given on. So a retry needs no step of its own.
 *
 * Voters. Followers' logs are not kept: what one has is decided when it matters, at an election. Who wins one may have any
 * first part of the log of the leader before, and may last have heard a heartbeat at any time; an older leader goes on
 * without knowing, and it, or who has its log, may win again as long as nothing of the newest term is committed. Commands
 * are counted as committed when a majority has them. That leaders are elected as Raft says is assumed: tests/consensus tests it.
 *
 * Left out, because it can only end validity sooner or free a lease later, or because it is tested elsewhere: elections that
 * nobody wins; what is not durable yet (tests/consensus, tests/journal); ticks of the ledger, which let a lease expire that
 * nobody asks for; snapshots, membership changes, evicted sessions; more leases, or more than two leaders at a time; a holder
 * that comes back with a new epoch, which is another holder; a gate without a journal. Tokens are counted by grants instead
 * of log entries: in the same order.
 *
 * A macro WITHOUT_... or FROM_... takes one rule out, and then spin must find a run that breaks an assertion. To read it:
 *   spin -a -DWITHOUT_RATE_BOUND lease.pml && cc -O2 -DSAFETY -o pan pan.c && ./pan && spin -t -p -g -DWITHOUT_RATE_BOUND lease.pml
 */

/* ---- Bounds of what is explored --------------------------------------------------------------------------------------- */

#ifndef TERMS
#define TERMS 2
#endif
#ifndef WINDOW
#define WINDOW 3           /* entries of a log that are not committed; 2 or 3 */
#endif
#ifndef FIRST_COMMANDS
#define FIRST_COMMANDS 1   /* of the node that asks first: acquisitions and at most one release; at most 2 */
#endif
#ifndef SECOND_COMMANDS
#define SECOND_COMMANDS 1  /* of the other */
#endif
#ifndef RENEWALS
#define RENEWALS 1         /* of each; at most 3 */
#endif
#ifndef ACTS
#define ACTS 0             /* of each; at most 3 */
#endif
#define SILENCE (TTL + 1)  /* cluster time from one committed entry to the next */

/* ---- Clocks, and the holder's rule ------------------------------------------------------------------------------------- */

#ifdef EXACT_CLOCKS
#define SLOW 1
#define FAST 1
#define TTL  3
#define less_rho(value) (value)
#else
#define SLOW 1
#define FAST 2
#define TTL  8
#define less_rho(value) ((value) * 2 / 3)
#endif

#ifdef WITHOUT_GUARD
#define GUARD 0
#else
#define GUARD 1
#endif

#if defined(WITHOUT_RATE_BOUND)
#define VALIDITY (TTL - GUARD)
#elif defined(WITHOUT_VOTERS_RATE_BOUND)
#define VALIDITY (less_rho(TTL) - GUARD)
#else
#define VALIDITY (less_rho(less_rho(TTL)) - GUARD)
#endif

/* ---- State ------------------------------------------------------------------------------------------------------------- */

mtype = { idle, asking, holding };
mtype = { no_op, execute, renew };

typedef Entry {
    mtype kind;
    unsigned term   : 3;
    unsigned time   : 6;  /* cluster time since the last committed entry's */
    unsigned from   : 1;  /* the node whose request it is */
    unsigned number : 2;  /* execute: the command's sequence; renew: the request's number */
    unsigned token  : 3;  /* execute: of the lease given back, 0: an acquisition; renew: of the lease to renew */
    unsigned as_of  : 3;  /* renew: the grants that the leader had applied */
};

typedef Leader {
    bool alive;
    unsigned term   : 3;
    unsigned time   : 6;
    unsigned length : 3;
    Entry log[WINDOW];    /* after the last committed entry */
};

typedef Row {
    unsigned sequence : 2;  /* of the last command that was run */
    unsigned token    : 3;  /* its answer while somebody waits for it; 0: held by another */
    bool renewed;           /* the renewal under way is done */
};

/* What the committed entries say, at the cluster time of the last of them. */
typedef Image {
    unsigned term     : 3;
    unsigned grants   : 3;
    unsigned holder   : 1;
    unsigned token    : 3;  /* of the lease; 0: it is free */
    unsigned deadline : 6;
    Row row[2];
};

typedef Node {
    mtype phase = idle;
    unsigned sequence         : 2;  /* of its last command */
    unsigned release_sequence : 2;  /* which of them gives back; 0: none */
    unsigned release_token    : 3;
    unsigned renewals         : 2;  /* number of the last one */
    unsigned renewal_token    : 3;  /* 0: its lease is another one now */
    bool renewing;                  /* it is not answered */
    unsigned age              : 5;  /* since the first transmission of what is not answered */
    unsigned left             : 5;  /* holding: of the validity */
    unsigned token            : 3;
    unsigned acts             : 2;
    unsigned act              : 3;  /* the token of an act under way to the resource; 0: none */
};

Leader leader[2];  /* the newest, and the one before it, which does not know */
Image image;
Node node[2];
byte last_token;   /* that a holder had */

byte floor;          /* of the gate */
byte durable_floor;  /* in its journal */
byte admitted;       /* the highest token that the resource was used with */

/* 0 between steps. */
byte chosen;
byte now;
byte i;

/* ---- Logs --------------------------------------------------------------------------------------------------------------- */

inline copy_entry(l, to, m, at) {
    leader[l].log[to].kind = leader[m].log[at].kind; leader[l].log[to].term = leader[m].log[at].term;
    leader[l].log[to].time = leader[m].log[at].time;
    leader[l].log[to].from = leader[m].log[at].from;
    leader[l].log[to].number = leader[m].log[at].number; leader[l].log[to].token = leader[m].log[at].token;
    leader[l].log[to].as_of = leader[m].log[at].as_of
}

inline copy_log(l, m) {
    i = 0;
    do
    :: i == WINDOW -> break
    :: else -> copy_entry(l, i, m, i); i++
    od;
    leader[l].length = leader[m].length;
    i = 0
}

inline truncate(l, n) {
    i = n;
    do
    :: i == WINDOW -> break
    :: else ->
        leader[l].log[i].kind = 0; leader[l].log[i].term = 0; leader[l].log[i].time = 0; leader[l].log[i].from = 0;
        leader[l].log[i].number = 0; leader[l].log[i].token = 0; leader[l].log[i].as_of = 0;
        i++
    od;
    leader[l].length = n;
    i = 0
}

inline append(l, what, whose, which, of_token, applied) {
    i = leader[l].length;
    leader[l].log[i].kind = what; leader[l].log[i].from = whose; leader[l].log[i].number = which;
    leader[l].log[i].term = leader[l].term; leader[l].log[i].time = leader[l].time;
    leader[l].log[i].token = of_token; leader[l].log[i].as_of = applied;
    leader[l].length++;
    i = 0
}

#define room(l) (leader[l].length < WINDOW)

/* ---- Leaders ------------------------------------------------------------------------------------------------------------ */

inline forget_older_leader() {
    leader[1].alive = false; leader[1].term = 0; leader[1].time = 0;
    truncate(1, 0)
}

/* Of a log's first n entries. */
#define last_time(l, n) (n == 0 -> 0 : leader[l].log[n - 1].time)
#define last_term(l, n) (n == 0 -> image.term : leader[l].log[n - 1].term)

#define max(a, b) (a > b -> a : b)
#define heartbeat(l, t) (leader[l].alive && leader[l].term == t -> leader[l].time : 0)

/* The latest cluster time at which who has the log's first n entries may start, as leader. */
#if defined(FROM_OWN_CLOCK)
#define latest_time(l, n) (last_time(l, n) + TTL)
#elif defined(FROM_ANY_TERM)
byte heard;  /* the latest that any leader ever said */
#define latest_time(l, n) max(heard, max(leader[0].time, leader[1].time))
#else
#define latest_time(l, n) max(heartbeat(0, last_term(l, n)), heartbeat(1, last_term(l, n)))
#endif

/* A voter that has the first entries of this leader's log. */
inline become_leader(l) {
    atomic {
        do
        :: chosen < leader[l].length && chosen < WINDOW - 1 -> chosen++
        :: break
        od;
        now = last_time(l, chosen);
        do
        :: now < latest_time(l, chosen) -> now++
        :: break
        od;
        d_step {
#ifdef FROM_ANY_TERM
            heard = max(heard, leader[0].time);
#endif
            if
            :: l == 1 ->
                copy_log(0, 1);
                forget_older_leader()
            :: l == 0 && leader[0].term + 1 < TERMS ->
                copy_log(1, 0);
                leader[1].alive = true; leader[1].term = leader[0].term; leader[1].time = leader[0].time
            :: else -> forget_older_leader()
            fi;
            truncate(0, chosen);
            leader[0].term++;
            leader[0].time = now;
            append(0, no_op, 0, 0, 0, 0);
            chosen = 0;
            now = 0
        }
    }
}

#define may_commit (leader[0].length > 0 && last_term(0, leader[0].length) == leader[0].term)

/* The first entries of the newest leader's log, up to one of its own term; who lacks them wins no election any more. */
inline commit() {
    atomic {
        chosen = leader[0].length;
        do
        :: chosen > 1 && leader[0].log[chosen - 2].term == leader[0].term -> chosen--
        :: break
        od;
        d_step {
            forget_older_leader();
            do
            :: i == chosen -> break
            :: else -> apply(); i++
            od;
            image.deadline = (image.token != 0 -> image.deadline - now : 0);
            node[0].renewal_token = (image.token == node[0].renewal_token -> image.token : 0);
            node[1].renewal_token = (image.token == node[1].renewal_token -> image.token : 0);
            leader[0].time = leader[0].time - now;
            do
            :: i == leader[0].length -> break
            :: else ->
                copy_entry(0, i - chosen, 0, i);
                leader[0].log[i - chosen].time = leader[0].log[i - chosen].time - now;
                i++
            od;
            chosen = leader[0].length - chosen;
            truncate(0, chosen);
#ifdef FROM_ANY_TERM
            heard = (heard > now -> heard - now : 0);
#endif
            chosen = 0;
            now = 0
        }
    }
}

/* ---- The ledger --------------------------------------------------------------------------------------------------------- */

#define entry leader[0].log[i]

inline free_lease() {
    image.holder = 0; image.token = 0; image.deadline = 0
}

inline run_command(h) {
    image.row[h].sequence = entry.number;
    image.row[h].token = 0;
    if
    :: entry.token != 0 && image.token == entry.token -> free_lease()
    :: entry.token == 0 && (image.token == 0 || image.holder == h) ->
        image.grants++;
        image.holder = h;
        image.token = image.grants;
        image.deadline = now + TTL;
        image.row[h].token = (node[h].phase == asking && node[h].sequence == entry.number -> image.token : 0)
    :: else
    fi
}

#ifdef WITHOUT_AS_OF
#define not_granted_since true
#else
#define not_granted_since (image.token <= entry.as_of)
#endif

inline run_renewals(h) {
    assert(entry.token == image.token);
    image.deadline = now + TTL;
    if
    :: node[h].renewing && node[h].renewals == entry.number -> image.row[h].renewed = true
    :: else
    fi
}

inline apply() {
    now = entry.time;
    if
    :: image.token != 0 && image.deadline <= now -> free_lease()
    :: else
    fi;
    if
    :: entry.kind == execute && entry.from == 0 && entry.number > image.row[0].sequence -> run_command(0)
    :: entry.kind == execute && entry.from == 1 && entry.number > image.row[1].sequence -> run_command(1)
    :: entry.kind == renew && entry.from == 0 && image.token != 0 && not_granted_since -> run_renewals(0)
    :: entry.kind == renew && entry.from == 1 && image.token != 0 && not_granted_since -> run_renewals(1)
    :: else
    fi;
    image.term = entry.term
}

/* Whether this leader has the request in its log already. */
#define is_at(n, l, what, h, which)                                                                                   \
    (leader[l].length > n && leader[l].log[n].kind == what && leader[l].log[n].from == h &&                           \
     leader[l].log[n].number == which && leader[l].log[n].term == leader[l].term)
#if WINDOW == 2
#define under_way(l, what, h, which) (is_at(0, l, what, h, which) || is_at(1, l, what, h, which))
#else
#define under_way(l, what, h, which) (is_at(0, l, what, h, which) || is_at(1, l, what, h, which) || is_at(2, l, what, h, which))
#endif

#define may_propose_command(l, h, which)                                                                              \
    (leader[l].alive && room(l) && node[h].sequence >= which && image.row[h].sequence < which &&                      \
     !under_way(l, execute, h, which))

inline propose_command(l, h, which) {
    d_step {
        chosen = (node[h].release_sequence == which -> node[h].release_token : 0);
        append(l, execute, h, which, chosen, 0);
        chosen = 0
    }
}

#define may_propose_renewal(l, h)                                                                                     \
    (leader[l].alive && room(l) && image.term == leader[l].term && image.token != 0 &&                                \
     image.token == node[h].renewal_token && !under_way(l, renew, h, node[h].renewals))

inline propose_renewal(l, h) {
    d_step { append(l, renew, h, node[h].renewals, node[h].renewal_token, image.grants) }
}

/* ---- Holders ------------------------------------------------------------------------------------------------------------ */

#ifdef FROM_REPLY
#define since_first_sent(h) 0
#else
#define since_first_sent(h) node[h].age
#endif

inline forget_answers(h) {
    image.row[h].token = 0;
    image.row[h].renewed = false
}

inline stop_holding(h) {
    node[h].phase = idle;
    node[h].renewing = false;
    node[h].age = 0;
    node[h].left = 0;
    node[h].token = 0;
    forget_answers(h)
}

inline rely(h) {
    node[h].left = VALIDITY - since_first_sent(h);
    node[h].age = 0;
    forget_answers(h);
#ifndef LET_TWO_HOLD  /* to see what else breaks then */
    assert(node[0].phase != holding || node[1].phase != holding);
#endif
    skip
}

inline ask(h) {
    d_step { node[h].sequence++; node[h].phase = asking; node[h].age = 0 }
}

inline give_up(h) {
    d_step { stop_holding(h) }
}

inline take_answer(h) {
    d_step {
        if
        :: image.row[h].token == 0 || since_first_sent(h) >= VALIDITY -> stop_holding(h)
        :: else ->
            node[h].phase = holding;
            node[h].token = image.row[h].token;
            rely(h);
            assert(node[h].token > last_token);
            last_token = node[h].token
        fi
    }
}

inline start_renewal(h) {
    d_step { node[h].renewals++; node[h].renewal_token = node[h].token; node[h].renewing = true; node[h].age = 0 }
}

inline take_renewal(h) {
    d_step { node[h].renewing = false; rely(h) }
}

inline release(h) {
    d_step {
        node[h].sequence++;
        node[h].release_sequence = node[h].sequence;
        node[h].release_token = node[h].token;
#ifndef WITHOUT_STOP_BEFORE_RELEASE
        stop_holding(h)
#endif
    }
}

/* ---- The resource behind a gate ------------------------------------------------------------------------------------------- */

#ifdef WITHOUT_DURABLE_FLOOR
#define floor_is_durable true
#else
#define floor_is_durable (durable_floor == floor)
#endif

#ifdef WITHOUT_FENCE
#define fenced(h) false
#else
#define fenced(h) (node[h].act < floor)
#endif

inline use(h) {
    d_step { node[h].acts++; node[h].act = node[h].token }
}

/* Busy: it changes nothing but the floor, and is tried again. */
inline admit(h) {
    d_step {
        if
        :: fenced(h) -> node[h].act = 0
        :: else ->
            floor = max(floor, node[h].act);
            if
            :: floor_is_durable ->
                assert(node[h].act >= admitted);
                admitted = node[h].act;
                node[h].act = 0
            :: else
            fi
        fi
    }
}

/* ---- Time ----------------------------------------------------------------------------------------------------------------- */

inline run_clock() {
    if
    :: now = SLOW
    :: now = FAST
    fi
}

inline run_leader(l) {
    if
    :: leader[l].alive -> run_clock(); leader[l].time = leader[l].time + now
    :: else
    fi
}

inline run_holder(h) {
    if
    :: node[h].phase == idle
    :: else ->
        run_clock();
        d_step {
            if
            :: node[h].phase == asking || node[h].renewing -> node[h].age = (node[h].age + now > VALIDITY -> VALIDITY : node[h].age + now)
            :: else
            fi;
            if
            :: node[h].phase == holding && node[h].left < now -> stop_holding(h)
            :: node[h].phase == holding && node[h].left >= now -> node[h].left = node[h].left - now
            :: else
            fi
        }
    fi
}

#define may_tick (leader[0].time + FAST <= SILENCE && leader[1].time + FAST <= SILENCE)

inline tick() {
    atomic {
        run_leader(0);
        run_leader(1);
        run_holder(0);
        run_holder(1);
        now = 0
    }
}

/* ---- Everything that may happen, in any order ------------------------------------------------------------------------------ */

#define proposals(l, h)                                                                                               \
    :: may_propose_command(l, h, 1) -> propose_command(l, h, 1)                                                       \
    :: may_propose_command(l, h, 2) -> propose_command(l, h, 2)                                                       \
    :: may_propose_renewal(l, h) -> propose_renewal(l, h)

#define holder_steps(h, may_ask, commands)                                                                            \
    :: node[h].phase == idle && node[h].sequence < commands && may_ask -> ask(h)                                      \
    :: node[h].phase == asking && node[h].sequence < commands -> give_up(h)                                           \
    :: node[h].phase == asking && image.row[h].sequence == node[h].sequence -> take_answer(h)                         \
    :: node[h].phase == holding && !node[h].renewing && node[h].renewals < RENEWALS -> start_renewal(h)               \
    :: node[h].renewing && image.row[h].renewed -> take_renewal(h)                                                    \
    :: node[h].phase == holding && node[h].sequence < commands && node[h].release_sequence == 0 -> release(h)         \
    :: node[h].phase == holding && node[h].acts < ACTS && node[h].act == 0 -> use(h)                                  \
    :: node[h].act != 0 -> admit(h)

active proctype world() {
    d_step {
        image.term = 1;
        leader[0].alive = true;
        leader[0].term = 1
    }
end:
    do
    :: may_tick -> tick()
    :: leader[0].term < TERMS -> become_leader(0)
    :: leader[0].term < TERMS && leader[1].alive -> become_leader(1)
    :: may_commit -> commit()
    proposals(0, 0)
    proposals(0, 1)
    proposals(1, 0)
    proposals(1, 1)
    holder_steps(0, true, FIRST_COMMANDS)
    holder_steps(1, node[0].sequence > 0, SECOND_COMMANDS)
    :: durable_floor < floor -> durable_floor = floor  /* synced */
    :: durable_floor < floor -> floor = durable_floor  /* restarted */
#ifdef FROM_RETRY
    :: node[0].phase == asking || node[0].renewing -> node[0].age = 0
    :: node[1].phase == asking || node[1].renewing -> node[1].age = 0
#endif
#ifdef WITHOUT_COMMIT
    :: node[0].renewing && leader[1].alive && under_way(1, renew, 0, node[0].renewals) -> take_renewal(0)
    :: node[1].renewing && leader[1].alive && under_way(1, renew, 1, node[1].renewals) -> take_renewal(1)
#endif
    od
}
