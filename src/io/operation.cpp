#include "io/operation.h"

#include "io/loop.h"

namespace sheaf::io {

void Operation::cancel() {
    loop_.cancel(*this);
}

const char* name_of(Request::Code code) {
    switch (code) {
        case Request::Code::read: return "reading";
        case Request::Code::write: return "writing";
        case Request::Code::fdatasync: return "flushing";
        case Request::Code::fallocate: return "allocating space";
        case Request::Code::poll: return "waiting for a descriptor";
        case Request::Code::accept: return "waiting for a connection";
        case Request::Code::connect: return "connecting";
        case Request::Code::send: return "sending";
        case Request::Code::recv: return "receiving";
        case Request::Code::sleep: return "sleeping";
    }
    return "unknown request";
}

template <>
Result<void> result_of<void>(int result, Request::Code code) {
    if (result < 0) return Failure{Error::from_os(-result, name_of(code))};
    return {};
}

template <>
Result<std::size_t> result_of<std::size_t>(int result, Request::Code code) {
    if (result < 0) return Failure{Error::from_os(-result, name_of(code))};
    return static_cast<std::size_t>(result);
}

template <>
Result<unsigned> result_of<unsigned>(int result, Request::Code code) {
    if (result < 0) return Failure{Error::from_os(-result, name_of(code))};
    return static_cast<unsigned>(result);
}

template <>
Result<Fd> result_of<Fd>(int result, Request::Code code) {
    if (result < 0) return Failure{Error::from_os(-result, name_of(code))};
    return Fd{result};
}

}  // namespace sheaf::io
