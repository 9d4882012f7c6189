#include "net/netlink.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>

#include "base/bytes.h"
#include "base/units.h"

namespace sheaf::net {

NetlinkRequest::NetlinkRequest(std::uint16_t type, std::uint16_t flags) {
    append(bytes_of(nlmsghdr{.nlmsg_len = 0,
                             .nlmsg_type = type,
                             .nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST),
                             .nlmsg_seq = 1,
                             .nlmsg_pid = 0}));
}

void NetlinkRequest::append(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    bytes_.resize(align_up<std::size_t>(bytes_.size(), NLA_ALIGNTO));
}

void NetlinkRequest::attribute(std::uint16_t type, std::span<const std::byte> value) {
    const auto length = static_cast<std::uint16_t>(sizeof(nlattr) + value.size());
    append(bytes_of(nlattr{.nla_len = length, .nla_type = type}));
    append(value);
}

void NetlinkRequest::attribute(std::uint16_t type, std::string_view text) {
    const auto terminated = std::string{text} + '\0';
    attribute(type, as_bytes(terminated));
}

std::size_t NetlinkRequest::begin(std::uint16_t type) {
    const auto nest = bytes_.size();
    append(bytes_of(nlattr{.nla_len = 0, .nla_type = type}));
    return nest;
}

void NetlinkRequest::end(std::size_t nest) {
    store(std::span{bytes_}.subspan(nest), static_cast<std::uint16_t>(bytes_.size() - nest));
}

std::vector<std::byte> NetlinkRequest::finish() && {
    store(std::span{bytes_}, static_cast<std::uint32_t>(bytes_.size()));
    return std::move(bytes_);
}

Result<Fd> open_netlink(int protocol) {
    auto socket = TRY(checked_fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol),
                                 "opening a netlink socket"));
    const auto patience = timeval{.tv_sec = 1, .tv_usec = 0};
    TRY(checked(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
                "preparing a netlink socket"));
    return socket;
}

Result<void> ask_kernel(const Fd& socket, std::span<const std::byte> message) {
    TRY(checked(static_cast<int>(::send(socket.get(), message.data(), message.size(), 0)),
                "asking the kernel"));
    auto answer = std::array<std::byte, 8192>{};
    const auto length = ::recv(socket.get(), answer.data(), answer.size(), 0);
    TRY(checked(static_cast<int>(length), "waiting for the kernel's answer"));
    auto reader = ByteReader{std::span{answer}.first(static_cast<std::size_t>(length))};
    const auto header = TRY(reader.take<nlmsghdr>());
    if (header.nlmsg_type != NLMSG_ERROR)
        return fail(Kind::io, "the kernel answered with message {}", header.nlmsg_type);
    const int error = -TRY(reader.take<std::int32_t>());
    if (error != 0) return fail_os(error, "refused");
    return {};
}

namespace {

enum class More { no, yes };

Result<void> told(std::span<const std::byte> body) {
    auto reader = ByteReader{body};
    const int error = -TRY(reader.take<std::int32_t>());
    if (error != 0) return fail_os(error, "refused");
    return {};
}

// What one datagram says; an answer to a dump is several.
Result<More> take_messages(std::span<const std::byte> datagram,
                           const std::function<Result<void>(NetlinkMessage)>& take) {
    auto reader = ByteReader{datagram};
    auto more = More::no;
    while (!reader.rest().empty()) {
        const auto header = TRY(reader.take<nlmsghdr>());
        if (header.nlmsg_len < sizeof(header))
            return fail(Kind::corrupt, "the kernel answered with a message of {} bytes",
                        header.nlmsg_len);
        const auto body = TRY(reader.take(header.nlmsg_len - sizeof(header)));
        if (header.nlmsg_type == NLMSG_DONE) return More::no;
        if (header.nlmsg_type == NLMSG_ERROR) {
            TRY(told(body));
            return More::no;
        }
        TRY(take(body));
        more = (header.nlmsg_flags & NLM_F_MULTI) != 0 ? More::yes : More::no;
        const auto padding = align_up<std::size_t>(body.size(), NLMSG_ALIGNTO) - body.size();
        if (reader.rest().size() >= padding) TRY(reader.take(padding));
    }
    return more;
}

}  // namespace

Result<void> query_kernel(const Fd& socket, std::span<const std::byte> message,
                          const std::function<Result<void>(NetlinkMessage)>& take) {
    TRY(checked(static_cast<int>(::send(socket.get(), message.data(), message.size(), 0)),
                "asking the kernel"));
    auto answer = std::vector<std::byte>(32 << 10);  // the most that a dump has in a datagram
    for (auto more = More::yes; more == More::yes;) {
        const auto length = ::recv(socket.get(), answer.data(), answer.size(), 0);
        TRY(checked(static_cast<int>(length), "waiting for the kernel's answer"));
        more = TRY(take_messages(std::span{answer}.first(static_cast<std::size_t>(length)), take));
    }
    return {};
}

Result<NetlinkAttributes> parse_attributes(std::span<const std::byte> bytes) {
    NetlinkAttributes found;
    auto reader = ByteReader{bytes};
    while (reader.rest().size() >= sizeof(nlattr)) {
        const auto head = TRY(reader.take<nlattr>());
        if (head.nla_len < sizeof(head))
            return fail(Kind::corrupt, "an attribute of {} bytes", head.nla_len);
        const auto value = TRY(reader.take(head.nla_len - sizeof(head)));
        found[head.nla_type & NLA_TYPE_MASK] = value;
        const auto padding = align_up<std::size_t>(value.size(), NLA_ALIGNTO) - value.size();
        if (reader.rest().size() >= padding) TRY(reader.take(padding));
    }
    return found;
}

std::string text_of(const NetlinkAttributes& attributes, std::uint16_t type) {
    const auto found = attributes.find(type);
    if (found == attributes.end()) return {};
    const auto text = as_text(found->second);
    return std::string{text.substr(0, text.find('\0'))};
}

std::uint32_t number_of(const NetlinkAttributes& attributes, std::uint16_t type) {
    const auto found = attributes.find(type);
    if (found == attributes.end() || found->second.size() < sizeof(std::uint32_t)) return 0;
    return load<std::uint32_t>(found->second);
}

}  // namespace sheaf::net
