# Objects of the compiled detectors as they lie in memory, out of the header that mypyc writes with them: a
# field that is renamed or changes its type ends the compilation, never a record.

from cpython.object cimport PyObject


cdef extern from *:
    """
    static inline PyObject *kind_of(PyObject *o) { return (PyObject *)Py_TYPE(o); }
    static inline int exact_tuple(PyObject *o) { return PyTuple_CheckExact(o); }
    static inline Py_ssize_t count_of(PyObject *o) { return PyTuple_GET_SIZE(o); }
    static inline PyObject *item_of(PyObject *o, Py_ssize_t at) { return PyTuple_GET_ITEM(o, at); }
    """
    PyObject *kind_of(PyObject *o)
    bint exact_tuple(PyObject *o)
    Py_ssize_t count_of(PyObject *o)
    PyObject *item_of(PyObject *o, Py_ssize_t at)


cdef extern from "__native_detectors.h":
    ctypedef size_t CPyTagged

    ctypedef struct Sums "detectors___state___SumsObject":
        double _acute, _chronic
        CPyTagged _at

    ctypedef struct Part "detectors___state___PartObject":
        double _acute, _chronic
        CPyTagged _at, _signal, _count

    ctypedef struct Journey "detectors___state___JourneyObject":
        PyObject *_name
        PyObject *_sums
        PyObject *_parts
        PyObject *_step
        PyObject *_release
        PyObject *_intent
        PyObject *_failed_channel
        PyObject *_failed_step
        PyObject *_failed_release
        PyObject *_suggested
        CPyTagged _touched, _failed_at, _failed_soft, _failed_soft_at, _evidence_at, _completions, _transfers
        CPyTagged _transferred_at, _suggested_at, _raised_at, _raised_ver, _raised_level, _overridden
        double _by_default, _by_preference
        char _open, _armed, _complaint

    ctypedef struct Attempt "detectors___state___AttemptObject":
        PyObject *_kind
        PyObject *_journey
        PyObject *_step
        PyObject *_release
        PyObject *_channel
        PyObject *_source
        PyObject *_told
        CPyTagged _key, _start, _last, _due, _status, _ver, _given_up, _leaves
        double _points

    ctypedef struct Contact "detectors___state___ContactObject":
        PyObject *_channel
        PyObject *_device
        PyObject *_journey
        PyObject *_intent
        PyObject *_step
        PyObject *_release
        PyObject *_outcome
        CPyTagged _case, _key, _start, _last

    ctypedef struct Wait "detectors___state___WaitObject":
        PyObject *_kind
        PyObject *_channel
        PyObject *_journey
        PyObject *_queue
        PyObject *_source
        CPyTagged _key, _opened, _leaves
        double _announced

    ctypedef struct Owed "detectors___state___OwedObject":
        PyObject *_channel
        PyObject *_journey
        PyObject *_step
        PyObject *_source
        CPyTagged _key, _since, _promised, _replied, _due, _asked, _spoke, _ended

    ctypedef struct Solved "detectors___state___SolvedObject":
        PyObject *_journey
        PyObject *_source
        CPyTagged _key, _due
        double _points

    ctypedef struct Context "detectors___state___ContextObject":
        PyObject *_prefers
        PyObject *_language
        PyObject *_segment
        CPyTagged _at, _emotion_at, _vulnerable_at, _contact_at, _profile_at
        double _engagement, _risk, _emotion
        char _first_time, _problem, _last_contact, _may_contact, _may_profile

    ctypedef struct Customer "detectors___state___CustomerObject":
        PyObject *_tenant
        PyObject *_customer
        PyObject *_reference
        PyObject *_sums
        PyObject *_context
        PyObject *_journeys
        PyObject *_attempts
        PyObject *_contacts
        PyObject *_waits
        PyObject *_owed
        PyObject *_solved
        PyObject *_seen
        PyObject *_fields
        PyObject *_refs
        PyObject *_last_source
        PyObject *_last_id
        PyObject *_ring
        PyObject *_tally
        CPyTagged _applied, _now, _observed_at, _case, _epoch, _reply_gap
        double _observed
        char _anonymous

    ctypedef struct Tally "detectors___tally___TallyObject":
        PyObject *_cases
        CPyTagged _first, _begun, _ended, _apart, _outcome, _outcome_before, _contacts, _ends, _followed
        CPyTagged _solved, _came_back, _wait, _talk, _c0, _c1, _c2, _c3, _g0, _g1, _g2, _g3

    ctypedef struct Case "detectors___tally___CaseObject":
        CPyTagged _key, _opened, _touched, _idle, _updates, _moves, _comments, _returns, _hands
        char _solved

    ctypedef struct Ring "detectors___ring___RingObject":
        PyObject *_base
        PyObject *_events
        CPyTagged _closed

    ctypedef struct Event "detectors___events___EventObject":
        void *vtable
        PyObject *_tenant
        PyObject *_customer
        PyObject *_key
        PyObject *_fact
        PyObject *_id
        PyObject *_source
        PyObject *_type
        PyObject *_channel
        PyObject *_journey
        PyObject *_actor
        PyObject *_direction
        PyObject *_step
        PyObject *_intent
        PyObject *_case_id
        PyObject *_session
        PyObject *_conversation
        PyObject *_device
        PyObject *_release
        PyObject *_language
        PyObject *_segment
        PyObject *_field
        PyObject *_queue
        PyObject *_result
        PyObject *_first_time
        PyObject *_engagement
        PyObject *_attributes
        PyObject *_rare
        CPyTagged _time, _partition, _offset, _rank, _size
        char _anonymous, _known, _late

    ctypedef struct Rare "detectors___rare___RareObject":
        PyObject *_agent_id
        PyObject *_alert_id
        PyObject *_team
        PyObject *_where
        PyObject *_reason
        PyObject *_kind
        PyObject *_to_channel
        PyObject *_from_team
        PyObject *_to_team
        PyObject *_priority
        PyObject *_prefers
        PyObject *_metric
        PyObject *_version
        PyObject *_scale
        PyObject *_wait_s
        PyObject *_announced_wait_s
        PyObject *_talk_s
        PyObject *_amount
        PyObject *_results
        PyObject *_score
        PyObject *_risk
        PyObject *_emotion
        PyObject *_problem
        PyObject *_last_contact
        PyObject *_vulnerable
        PyObject *_profiling
        PyObject *_contact

    ctypedef struct EventRow "detectors___event_row___EventRowObject":
        PyObject *_e
        CPyTagged _late, _ver, _policy
        double _effort, _effort_customer, _acute, _chronic, _ces, _human_need, _coverage
        double _sum_acute, _sum_chronic, _sum_customer_acute, _sum_customer_chronic
        char _scored
