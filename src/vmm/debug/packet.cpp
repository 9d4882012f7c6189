#include "vmm/debug/packet.h"

#include "base/hex.h"

namespace sheaf::vmm::debug {

namespace {

constexpr char escape = '}';
constexpr char escaping = 0x20;  // what an escaped byte is combined with
constexpr char interrupt_byte = 0x03;

Frame plain(Frame::Kind kind) {
    return {.kind = kind, .payload = {}};
}

}  // namespace

Result<std::optional<Frame>> FrameReader::next(std::span<const std::byte>& bytes) {
    while (!bytes.empty()) {
        const auto letter = static_cast<char>(bytes.front());
        bytes = bytes.subspan(1);
        auto frame = std::optional<Frame>{};
        switch (state_) {
            case State::outside: frame = TRY(outside(letter)); break;
            case State::payload:
            case State::escaped: TRY(inside(letter)); break;
            case State::first_digit:
                first_digit_ = hex_digit(letter);
                state_ = State::second_digit;
                break;
            case State::second_digit: frame = checked(letter); break;
        }
        if (frame) return frame;
    }
    return std::nullopt;
}

Result<std::optional<Frame>> FrameReader::outside(char letter) {
    switch (letter) {
        case '$':
            state_ = State::payload;
            payload_.clear();
            taken_ = 0;
            sum_ = 0;
            return std::nullopt;
        case '+': return plain(Frame::Kind::acknowledged);
        case '-': return plain(Frame::Kind::refused);
        case interrupt_byte: return plain(Frame::Kind::interrupt);
        default:
            return fail(Kind::invalid, "byte {:#04x} where a packet should begin",
                        static_cast<unsigned char>(letter));
    }
}

Result<void> FrameReader::inside(char letter) {
    if (state_ == State::payload && letter == '#') {
        state_ = State::first_digit;
        return {};
    }
    if (++taken_ > packet_limit)
        return fail(Kind::exhausted, "a packet of more than {} bytes", packet_limit);
    sum_ = static_cast<std::uint8_t>(sum_ + static_cast<std::uint8_t>(letter));
    if (state_ == State::payload && letter == escape) {
        state_ = State::escaped;
        return {};
    }
    payload_.push_back(state_ == State::escaped ? static_cast<char>(letter ^ escaping) : letter);
    state_ = State::payload;
    return {};
}

std::optional<Frame> FrameReader::checked(char letter) {
    state_ = State::outside;
    const int second = hex_digit(letter);
    if (first_digit_ < 0 || second < 0 || first_digit_ * 16 + second != sum_)
        return plain(Frame::Kind::damaged);
    return Frame{.kind = Frame::Kind::packet, .payload = std::move(payload_)};
}

std::string make_frame(std::string_view payload) {
    auto frame = std::string{"$"};
    std::uint8_t sum = 0;
    const auto put = [&](char letter) {
        frame.push_back(letter);
        sum = static_cast<std::uint8_t>(sum + static_cast<std::uint8_t>(letter));
    };
    for (const char letter : payload) {
        // "*" would be taken for a run of the byte before it.
        const bool special = letter == '$' || letter == '#' || letter == escape || letter == '*';
        if (special) put(escape);
        put(special ? static_cast<char>(letter ^ escaping) : letter);
    }
    frame.push_back('#');
    frame.push_back(hex_digits[sum >> 4]);
    frame.push_back(hex_digits[sum & 0xf]);
    return frame;
}

}  // namespace sheaf::vmm::debug
