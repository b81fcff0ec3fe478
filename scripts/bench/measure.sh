# shellcheck shell=bash
# Sourced by scripts/bench.sh: one row of one round, from a started contender to a line in $data/figures.
# shellcheck disable=SC2154 # common.sh, tools.sh and bench.sh set what is not set here

readonly known_pictures=100
# half of each contender's peak, in requests a second
declare -A half=()

# 20 KB, and six million pixels in 3 MB
make_pictures() {
    "$python" scripts/bench/picture.py 184 184 "$data/small.png"
    "$python" scripts/bench/picture.py 3000 2000 "$data/large.png"
}

# drive OPTION...: loads the server that runs; prints a JSON object. Environment goes to the wrk scripts.
drive() {
    # In the background, so that a signal ends the wait at once.
    "$python" scripts/bench/drive.py --pid "$server" --port "$port" --seconds "$seconds" --oha "$oha" "$@" >"$data/driven" &
    loader=$!
    wait "$loader" || die "the load failed; the server's last words: $(tail -n 3 "$folder/log")"
    loader=
}

# number NAME: a number of the last drive.
number() {
    "$python" -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1" <"$data/driven"
}

# keep ROW: the figures of the last drive, as a row of this round.
keep() {
    sed "s|^{|{\"row\": \"$1\", \"round\": $round, |" "$data/driven" >>"$data/figures"
}

# stored TABLE: rows in the database of the contender.
stored() {
    case $contender in
        *oracle*) rows_in "$folder/standin.sqlite" "$1" ;;
        *) rows_in "$folder/results.db" "$1" ;;
    esac
}

# own_folder: sets `folder`. Contenders with tables of the same form share their hits.
own_folder() {
    case $contender in
        sqlite | cache | one) folder=sqlite ;;
        *oracle*) folder=oracle ;;
        flask | fastapi) folder=python ;;
        *) folder=$contender ;;
    esac
    folder=$data/$folder-$load
    # batches and open loops ask for the same keys as hits
    [[ ! $load =~ ^(half|batches|storm)$ ]] || folder=${folder%-*}-hits
    # Misses begin with an empty table each time.
    [[ $load != misses && $load != new-* ]] || rm -rf "$folder"
    mkdir -p "$folder"
}

# measure CONTENDER/LOAD/CONNECTIONS
measure() {
    local row=$1 contender load connections folder
    IFS=/ read -r contender load connections <<<"$row"
    own_folder
    case $contender in
        oracle-*) standin_times 0 0 ;;
        flask-oracle) standin_times 0 0 ;;
    esac
    start "$contender" "$folder"
    if [[ $contender != bare && $load != misses && $load != new-* && ! -e $folder/preloaded ]]; then
        local what=()
        [[ $load != pictures ]] || what=("$data/small.png" "$known_pictures")
        "$python" scripts/bench/preload.py "$port" "${what[@]}"
        touch "$folder/preloaded"
    fi
    case $contender in
        oracle-*) standin_times "${contender#oracle-}" 1 ;;
        flask-oracle) standin_times 1 1 ;;
    esac
    case $load in
        hits | misses | batches) drive --load "$load" --connections "$connections" ;;
        half) drive_half ;;
        pictures) KEYS=$known_pictures PICTURE=$data/small.png drive --load pictures --connections "$connections" ;;
        new-pictures) PICTURE=$data/small.png drive --load pictures --connections "$connections" ;;
        storm) drive_storm ;;
    esac
    [[ $load == storm ]] || keep "$row"
    if [[ $row == oracle-1/hits/1 ]]; then
        echo "{\"row\": \"call\", \"round\": $round, \"p50_ms\": $("$standin" "$folder" call)e-3}" >>"$data/figures"
    fi
    stop
    [[ $contender == bare ]] || check_stored
}

# standin_times ROUND_TRIP_MS COMMIT_MS
standin_times() {
    standin_database "$folder" "$("$python" -c "print(round($1 * 1000))")" "$(($2 * 1000))"
}

# A miss that is not in the table afterwards would be a hit, or a lost write, that was counted as one; a hit that left a
# new row was none.
check_stored() {
    local requests count
    requests=$(number requests_with_warm_up)
    case $load in
        misses) count=$(stored url_result) ;;
        new-pictures) count=$(stored image_result) ;;
        pictures)
            count=$(stored image_result)
            ((count == known_pictures)) || die "$row: $count pictures are stored, not $known_pictures"
            return
            ;;
        *)
            count=$(stored url_result)
            ((count == 1000)) || die "$row: $count rows are stored, not the 1,000 that are asked for"
            return
            ;;
    esac
    ((count >= requests)) || die "$row: $requests misses were answered but only $count rows are stored"
}

# The peak is found with the same generator, once: oha costs more than wrk, and all rounds have one rate.
drive_half() {
    if [[ -z ${half[$contender]:-} ]]; then
        drive --load open --connections "$connections" --seconds "$(((seconds + 1) / 2))"
        half[$contender]=$("$python" -c "print(round($(number per_s) / 2))")
    fi
    drive --load open --connections "$connections" --rate "${half[$contender]}"
}

# Hits alone, then the same under a storm of pictures; the storm begins a second before and ends after.
drive_storm() {
    PAUSE_MS=10 drive --load hits --connections 32
    keep "$contender/paced/32"
    PICTURE=$data/large.png "$python" scripts/bench/drive.py --pid "$server" --port "$port" --load pictures --threads 1 \
        --connections 16 --seconds "$((seconds + 3))" --warm-up 0 >"$data/storm" &
    storm=$!
    sleep 1
    PAUSE_MS=10 drive --load hits --connections 32
    keep "$contender/storm-hits/32"
    wait "$storm"
    storm=
    mv "$data/storm" "$data/driven"
    keep "$contender/storm/16"
}
