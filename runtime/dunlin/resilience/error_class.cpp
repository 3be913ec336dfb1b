#include <dunlin/resilience/error_class.hpp>

namespace dunlin::resilience {

ErrorClass classify(Status status) {
    switch (status) {
        case Status::ok: return ErrorClass::none;
        case Status::no_quorum:
        case Status::not_leader:
        case Status::timed_out:
        case Status::recovering: return ErrorClass::transient;
        case Status::busy:
        case Status::outbox_full: return ErrorClass::overload;
        default: return ErrorClass::permanent;
    }
}

}  // namespace dunlin::resilience
