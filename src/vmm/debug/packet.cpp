#include "vmm/debug/packet.h"

namespace sheaf::vmm::debug {

namespace {

constexpr char escape = '}';
constexpr char escaping = 0x20;  // what an escaped byte is combined with
constexpr char interrupt_byte = 0x03;
constexpr std::string_view digits = "0123456789abcdef";

Frame plain(Frame::Kind kind) {
    return {.kind = kind, .payload = {}};
}

}  // namespace

int hex_digit(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    return -1;
}

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
    frame.push_back(digits[sum >> 4]);
    frame.push_back(digits[sum & 0xf]);
    return frame;
}

void append_hex(std::string& text, std::span<const std::byte> bytes) {
    for (const auto byte : bytes) {
        const auto value = std::to_integer<unsigned>(byte);
        text.push_back(digits[value >> 4]);
        text.push_back(digits[value & 0xf]);
    }
}

std::string to_hex(std::span<const std::byte> bytes) {
    auto text = std::string{};
    append_hex(text, bytes);
    return text;
}

Result<std::vector<std::byte>> from_hex(std::string_view text) {
    auto bytes = std::vector<std::byte>{};
    if (text.size() % 2 != 0) return fail(Kind::invalid, "an odd number of digits");
    for (std::size_t at = 0; at < text.size(); at += 2) {
        const int high = hex_digit(text[at]);
        const int low = hex_digit(text[at + 1]);
        if (high < 0 || low < 0) return fail(Kind::invalid, "no hexadecimal digit");
        bytes.push_back(static_cast<std::byte>(high * 16 + low));
    }
    return bytes;
}

}  // namespace sheaf::vmm::debug
