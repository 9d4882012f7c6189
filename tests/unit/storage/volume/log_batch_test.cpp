#include "storage/volume/log_batch.h"

#include <vector>

#include <gtest/gtest.h>

#include "storage/volume/page.h"

namespace sheaf::volume {
namespace {

ChunkRecord record_of(std::uint32_t chunk) {
    return {.header = {static_cast<std::uint16_t>(RecordType::chunk), sizeof(ChunkRecord)},
            .layer = 1,
            .chunk = chunk,
            .slot = chunk,
            .states = 2,
            .file = 0,
            .reserved = 0};
}

TEST(LogBatch, ComesBackRecordByRecordOverPages) {
    constexpr std::uint32_t count = 300;
    LogBatch batch;
    for (std::uint32_t chunk = 0; chunk < count; ++chunk) batch.add(record_of(chunk));
    ASSERT_EQ(batch.pages(), 3u);  // 124 fit into one
    std::vector<std::byte> bytes(batch.pages() * page_size);
    const auto last =
        batch.write(bytes, {.owner = {}, .sequence = 9, .previous = 77, .incarnation = 3});

    auto previous = std::uint32_t{77};
    auto expected = std::uint32_t{0};
    for (std::size_t number = 0; number < batch.pages(); ++number) {
        const auto page = std::span{bytes}.subspan(number * page_size, page_size);
        const auto header = check(page, {PageKind::log, {}, 9 + number});
        ASSERT_TRUE(header) << number;
        EXPECT_EQ(load<LogHeader>(page.subspan(sizeof(PageHeader))).previous, previous);
        previous = header->checksum;
        RecordReader reader{page};
        while (true) {
            const auto record = reader.next();
            ASSERT_TRUE(record);
            if (record->empty()) break;
            EXPECT_EQ(load<ChunkRecord>(*record).chunk, expected++);
        }
    }
    EXPECT_EQ(expected, count);
    EXPECT_EQ(last, previous);
}

TEST(LogBatch, WhatBelongsTogetherIsOnOnePage) {
    LogBatch batch;
    for (std::uint32_t chunk = 0; chunk < 123; ++chunk) batch.add(record_of(chunk));
    batch.add_both(record_of(123), record_of(124));
    ASSERT_EQ(batch.pages(), 2u);
    std::vector<std::byte> bytes(batch.pages() * page_size);
    static_cast<void>(batch.write(bytes, {}));
    RecordReader reader{std::span{bytes}.subspan(page_size)};
    EXPECT_EQ(load<ChunkRecord>(*reader.next()).chunk, 123u);
    EXPECT_EQ(load<ChunkRecord>(*reader.next()).chunk, 124u);
    EXPECT_TRUE(reader.next()->empty());
}

TEST(LogBatch, RecordsWithSenselessLengthsAreRefused) {
    for (const auto length : {0, 3, 12, 4096, 65528}) {
        std::vector<std::byte> page(page_size);
        store(std::span{page}.subspan(sizeof(PageHeader)),
              LogHeader{.previous = 0, .records = 1, .reserved = 0, .incarnation = 0});
        store(std::span{page}.subspan(first_record),
              RecordHeader{.type = 1, .length = static_cast<std::uint16_t>(length)});
        EXPECT_EQ(RecordReader{page}.next().error().kind(), Kind::corrupt) << length;
    }
}

TEST(LogBatch, MoreRecordsThanAPageHoldsAreRefused) {
    std::vector<std::byte> page(page_size);
    store(std::span{page}.subspan(sizeof(PageHeader)),
          LogHeader{.previous = 0, .records = 60000, .reserved = 0, .incarnation = 0});
    for (auto place = first_record; place < page_size; place += 8)
        store(std::span{page}.subspan(place), RecordHeader{.type = 1, .length = 8});
    RecordReader reader{page};
    auto record = reader.next();
    for (auto count = 0; record && count < 1000; ++count) record = reader.next();
    EXPECT_EQ(record.error().kind(), Kind::corrupt);
}

}  // namespace
}  // namespace sheaf::volume
