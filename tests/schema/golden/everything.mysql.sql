CREATE TABLE IF NOT EXISTS `shop`.`everything` (
    `id` BIGINT NOT NULL AUTO_INCREMENT,
    `Kind of` CHAR(2) NOT NULL DEFAULT ('CA'),
    `yes` BOOLEAN DEFAULT (TRUE),
    `small` SMALLINT DEFAULT (-1),
    `middle` INT,
    `counter` INT NOT NULL,
    `price` DECIMAL(18,4) DEFAULT (0.50),
    `vast` DECIMAL(50,10) DEFAULT (1.5),
    `endless` LONGTEXT DEFAULT ('1.50'),
    `rough` FLOAT DEFAULT (0.5),
    `fine` DOUBLE DEFAULT (0.1),
    `title` VARCHAR(80) DEFAULT ('it''s'),
    `said ``"so"``` LONGTEXT DEFAULT ('\\') COMMENT 'two
lines, a ''quote'' and a \\',
    `tags` LONGTEXT,
    `status` LONGTEXT,
    `scan` LONGBLOB,
    `day` DATE DEFAULT (CURRENT_DATE),
    `clock` TIME(6) DEFAULT (CURRENT_TIME(6)),
    `wall_coarse` DATETIME(3) DEFAULT (CURRENT_TIMESTAMP(3)),
    `wall_utc` DATETIME(6) DEFAULT (UTC_TIMESTAMP(6)),
    `instant` DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    `until` DATETIME(6) DEFAULT ('9000-01-01 00:00:00'),
    `document` JSON DEFAULT (CAST('{}' AS JSON)),
    `key` CHAR(36) NOT NULL,
    `nothing` LONGTEXT COMMENT '; DROP TABLE x; --',
    PRIMARY KEY (`id`, `Kind of`),
    CONSTRAINT `uq_everything_key` UNIQUE (`key`),
    CONSTRAINT `uq_everything_title_day` UNIQUE (`title`, `day`),
    INDEX `idx_everything_day` (`day`),
    INDEX `idx_everything_said ``"so"``` (`said ``"so"```(768)),
    INDEX `idx_everything_Kind of` (`Kind of`),
    INDEX `idx_everything_id` (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin COMMENT = 'all there is';

-- left out: default of middle, in postgres nextval('other_seq'::regclass)
-- left out: identity (by default) of counter
-- left out: default of tags, in postgres '{}'::text[]
-- left out: default of status, in postgres 'new'::status
-- left out: default of scan, in postgres '\x00'::bytea
-- left out: default of key, in postgres gen_random_uuid()
-- left out: foreign key (title) to shop.public.titles (name): tables are loaded one by one
-- source: shop.public.everything
-- extracted at 2026-11-21T18:30:00Z
