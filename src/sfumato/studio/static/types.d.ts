// Written by tools/studio_types.py from the studio's openapi.json: change it there.

/** The same variant of many photos, each with a zone of its own parts, which `options.parts` names. */
export interface BatchCollage {
  kind: "collage";
  model: string;
  styles?: string[];
  options?: CollageOptions;
}

/** The same on many photos of the session. */
export interface BatchRequest {
  photos: string[];
  recipe: BatchCollage | BatchStylize;
  save?: SaveOptions;
}

/** The same style for many photos. */
export interface BatchStylize {
  kind: "stylize";
  model?: string;
  styles?: string[];
  options?: StylizeOptions;
}

/** A variant put into its photo anew. */
export interface BlendRequest {
  /** `blend`, `softness`, `color_match` and `strength` of them; None: those that it was made with. */
  options?: CollageOptions | null;
}

/** `event: cancelled`, the last one; what was done before stays. */
export interface Cancelled {
  variants: string[];
}

/** How parts of a photograph are redrawn and put back. `blend`, `softness`, `color_match` and `strength` take effect in `blend`: they can change without the model at work. */
export interface CollageOptions {
  /** The parts that are redrawn: face, hair, hat, sunglasses, upper-clothes and others, or background. */
  parts?: ("background" | "hat" | "hair" | "sunglasses" | "upper-clothes" | "skirt" | "pants" | "dress" | "belt" | "left-shoe" | "right-shoe" | "face" | "left-leg" | "right-leg" | "left-arm" | "right-arm" | "bag" | "scarf")[];
  /** How the border is found: `guided` follows strands of hair, `feather` blurs, `laplacian` mixes scale by scale. */
  blend?: "guided" | "feather" | "laplacian" | "hard";
  /** How wide the border is: 0 is crisp, 1 is widest. */
  softness?: number;
  /** How far the drawing takes the mean colour and contrast of what it covers. */
  color_match?: number;
  /** How much of the drawing: 0 keeps the photograph. */
  strength?: number;
  /** The colours in which the model sees the photograph. */
  filter?: "none" | "warm" | "cool" | "vivid" | "pale" | "contrast";
  /** Fixes what a model that draws noise makes. */
  seed?: number;
  /** What the model sees around the zone on each side, as a share of the zone's box. */
  padding?: number;
  /** Side of what the model is given, in pixels; if none is given, the crop's own, at most what suits the model. */
  size?: number | null;
  /** Looks at the picture at each size, for gatys, which optimises; its own numbers if none is given. */
  iterations?: number[];
}

/** `event: done`, the last one. */
export interface Done {
  /** Of a batch the last one is an archive of all. */
  files: File[];
  variants: string[];
  /** Variants that were asked for and were there already: they were not drawn again. */
  kept: string[];
  /** How many of its items failed. */
  failed: number;
  /** Of a parse. */
  status: Status | null;
}

/** A picture to try, which comes with the program. */
export interface Example {
  name: string;
  title: string;
  use: "photo" | "style" | "swatch";
}

export interface Examples {
  examples: Example[];
}

/** A variant as a file, at the photo's own size. */
export interface ExportRequest {
  /** `blend`, `softness`, `color_match` and `strength` of them; None: those that it was made with. */
  options?: CollageOptions | null;
  save?: SaveOptions;
  /** Only the zone, on transparent ground; not as JPEG. */
  cutout?: boolean;
}

/** A result to take away: GET /api/files/{id} is the file, .../preview and .../thumb are pictures to look at. */
export interface File {
  id: string;
  /** What the browser saves it as. */
  name: string;
  type: string;
  bytes: number;
  width: number;
  height: number;
  /** What went otherwise than asked; may be empty. */
  note: Note | null;
  /** Of an archive: the results in it. It is put together as it is sent; `bytes` are theirs. */
  holds: string[];
}

/** Results of a session. */
export interface Files {
  files: File[];
}

/** Whether the studio is ready, and what it works with. */
export interface Health {
  ready: boolean;
  version: string;
  worker: "starting" | "ready" | "working" | "restarting";
  /** Such as `cpu` or `NVIDIA H200 (cuda:0)`; empty while the worker starts. */
  device: string;
  /** Names of the models in memory. */
  loaded: string[];
  /** Jobs that wait, of all sessions. */
  waiting: number;
  limits: Limits;
}

/** `event: item`: a picture of a batch, or a variant that failed while others go on. */
export interface ItemDone {
  photo: string;
  name: string;
  file: File | null;
  problem: Problem | null;
  number: number;
  total: number;
}

/** Work that takes a while: listen to its events, or ask again. */
export interface Job {
  id: string;
  kind: "parse" | "variants" | "export" | "stylize" | "texture" | "batch";
  photo: string | null;
  state: "queued" | "loading" | "working" | "done" | "cancelled" | "error";
  /** How many jobs come first; 0 when it runs. */
  place: number;
  done: number;
  /** Of what `progress` counts; 0 while unknown. */
  total: number;
  seconds_left: number | null;
  variants: string[];
  /** Variants that were asked for and are there already: they are not drawn again. */
  kept: string[];
  files: File[];
  problem: Problem | null;
}

/** `event: job`: something happened to one of the session's jobs. */
export interface JobNews {
  job: string;
  event: "queued" | "loading" | "progress" | "variant" | "item" | "done" | "cancelled" | "error";
  /** As GET /api/jobs/{id}/events has it. */
  data: Queued | Loading | Progress | VariantReady | ItemDone | Done | Cancelled | Problem;
}

export interface Jobs {
  jobs: Job[];
}

/** What is too much. */
export interface Limits {
  /** Of the file of a picture. */
  upload_bytes: number;
  /** Of a picture that is sent, and of a result. */
  pixels: number;
  /** Pixels that each side of a picture must have. */
  smallest_side: number;
  /** Longest side in pixels at which a zone is painted and a result is shown. */
  work_side: number;
  /** Pictures in a session. */
  photos: number;
  session_bytes: number;
  /** Jobs of a session that may wait or run at once, beside those that look for parts. */
  waiting: number;
  /** Media types of pictures that can be sent. */
  formats: string[];
}

/** `event: loading`: a model is brought into memory. */
export interface Loading {
  model: string;
  bytes: number;
}

/** A zone as the server holds it. */
export interface Mask {
  width: number;
  height: number;
  /** Pixels of 128 or more. */
  pixels: number;
  /** Of all pixels. */
  share: number;
}

/** A model, and which work it fits. */
export interface ModelInfo {
  name: string;
  title: string;
  method: string;
  licence: string;
  place: "bundled" | "cached" | "downloadable";
  bytes: number;
  /** `stylize` takes styles, `translate` has its own (both are sent as `stylize`); said also of one with a problem. */
  fits: ("collage" | "stylize" | "translate" | "texture" | "parse")[];
  loaded: boolean;
  /** Why it cannot be used; for what is not here yet how to get it. */
  problem: string;
}

export interface Models {
  models: ModelInfo[];
}

/** What is to be known of something that went well. */
export interface Note {
  /** For clients that say it in words of their own. */
  code: string;
  /** The same, one sentence. */
  message: string;
  /** What the sentence needs, such as a number. */
  values: Record<string, any>;
}

/** A JSON schema for each form; `description` is the help text, `minimum`, `maximum` and `enum` make the control. */
export interface OptionSchemas {
  /** Of variants. `blend`, `softness`, `color_match` and `strength` take effect without the model. */
  collage: Record<string, any>;
  stylize: Record<string, any>;
  texture: Record<string, any>;
  save: Record<string, any>;
  /** Of the requests that these go into, `variants`, `stylize`, `texture` and `batch`: what is asked for beside them,
and how many pictures there may be. */
  requests: Record<string, any>;
}

/** How parts of a photograph are redrawn and put back. `blend`, `softness`, `color_match` and `strength` take effect in `blend`: they can change without the model at work. */
export interface OptionsOutput {
  /** The parts that are redrawn: face, hair, hat, sunglasses, upper-clothes and others, or background. */
  parts: ("background" | "hat" | "hair" | "sunglasses" | "upper-clothes" | "skirt" | "pants" | "dress" | "belt" | "left-shoe" | "right-shoe" | "face" | "left-leg" | "right-leg" | "left-arm" | "right-arm" | "bag" | "scarf")[];
  /** How the border is found: `guided` follows strands of hair, `feather` blurs, `laplacian` mixes scale by scale. */
  blend: "guided" | "feather" | "laplacian" | "hard";
  /** How wide the border is: 0 is crisp, 1 is widest. */
  softness: number;
  /** How far the drawing takes the mean colour and contrast of what it covers. */
  color_match: number;
  /** How much of the drawing: 0 keeps the photograph. */
  strength: number;
  /** The colours in which the model sees the photograph. */
  filter: "none" | "warm" | "cool" | "vivid" | "pale" | "contrast";
  /** Fixes what a model that draws noise makes. */
  seed: number;
  /** What the model sees around the zone on each side, as a share of the zone's box. */
  padding: number;
  /** Side of what the model is given, in pixels; if none is given, the crop's own, at most what suits the model. */
  size: number | null;
  /** Looks at the picture at each size, for gatys, which optimises; its own numbers if none is given. */
  iterations: number[];
}

/** A part of a photo that was found. */
export interface Part {
  /** Its value in labels.png. */
  label: number;
  name: string;
  /** How many of the working size; 0: it is not in this photo. */
  pixels: number;
  /** To show it by: its mean colour in the photo, or a fixed one where it is absent. */
  color: string;
}

/** A picture of the session, be it a photo, a style or a swatch. */
export interface Photo {
  id: string;
  /** As the client called it; only to show. */
  name: string;
  /** Upright. */
  size: [number, number];
  /** Of preview, labels.png and mask. */
  work: [number, number];
  bytes: number;
  /** Its media type. */
  type: string;
  transparent: boolean;
  bits: 8 | 16;
  /** Whether it holds EXIF, */
  has_camera: boolean;
  /** and in it where it was taken, */
  has_place: boolean;
  /** and a colour profile. */
  has_profile: boolean;
  /** Such as that only the first of its frames is used. */
  notes: Note[];
  created: number;
  status: Status;
  /** None while no zone was sent. */
  mask: Mask | null;
  variants: Variant[];
  /** What the studio wrote into the file when it saved it. */
  recipe: Record<string, any> | null;
}

export interface Photos {
  /** The last one first. */
  photos: Photo[];
}

/** Parts that are often chosen together. */
export interface Preset {
  name: string;
  labels: number[];
}

/** A small preview, at once. */
export interface PreviewRequest {
  model?: string;
  /** Ids of pictures; none for a model that has a style of its own. */
  styles?: string[];
  options?: StylizeOptions;
  /** Only where the photo's mask is white. */
  use_mask?: boolean;
  /** Longest side in pixels. */
  side?: number;
}

/** Why something was not done. */
export interface Problem {
  /** A code, for programs. */
  error: string;
  /** What is wrong, one sentence. */
  message: string;
  /** What to do about it, one sentence; may be empty. */
  hint: string;
  /** A code of what exactly is wrong, where `error` leaves it open, for clients that say it in words of their own. */
  detail: string;
  /** What a sentence of `detail` needs, such as a size. */
  values: Record<string, any>;
}

/** `event: progress`. */
export interface Progress {
  /** How much of the whole is done. */
  done: number;
  /** The variant or picture that is worked on, from 1 on, */
  item: number;
  /** of so many. */
  items: number;
  /** None while nobody knows. */
  seconds_left: number | null;
}

/** `event: queued`: it waits; comes again when its place changes. */
export interface Queued {
  place: number;
}

/** A training, as its folder tells. */
export interface Run {
  id: string;
  /** Of its folder. */
  name: string;
  title: string;
  /** `ended`: it has reached its end. `running`: it has not, and its process trains still, or, where no lock of the
folder tells that, its log grew in the last minutes. */
  state: "running" | "ended" | "stopped";
  images: number;
  /** Images it is to see; 0 if its recipe does not tell. */
  total: number;
  images_per_s: number;
  /** Seconds since 1970. */
  updated: number;
  has_report: boolean;
  has_plot: boolean;
  /** Numbers of images after which sample pictures were drawn. */
  samples: number[];
  /** Model files that it has left. */
  models: string[];
}

/** Lines of a run's log. */
export interface RunLog {
  lines: Record<string, any>[];
  /** To ask for what comes later: ?after=NEXT. */
  next: number;
}

export interface Runs {
  runs: Run[];
  /** Whether the studio was started with a folder of runs. */
  folder: boolean;
}

/** How a result becomes a file. */
export interface SaveOptions {
  /** PNG loses nothing; JPEG has no transparency. */
  format?: "png" | "jpeg" | "webp" | "avif";
  /** Of JPEG, WebP and AVIF. */
  quality?: number;
  /** Keep EXIF, such as the camera and the date. */
  keep_camera?: boolean;
  /** Keep in it where the photo was taken. */
  keep_place?: boolean;
  /** Write into the file how it was made: models and options, no names of files. */
  embed_recipe?: boolean;
}

/** What is known of a photo's parts. */
export interface Status {
  /** `none`: nobody asked for it, or the search was cancelled. `no_person`: nobody was found, paint the zone.
`failed`: `problem` says why. */
  state: "none" | "waiting" | "loading" | "parsing" | "parsed" | "no_person" | "failed";
  /** What found the parts: a network for all of them, or a first guess of where the head is. */
  source: "parser" | "first_zone" | "";
  parts: Part[];
  presets: Preset[];
  /** Labels that the first zone is made of. */
  selected: number[];
  /** While it waits, loads or parses: the job to listen to. */
  job: string | null;
  problem: Problem | null;
}

export interface StylizeOptions {
  /** How far to go: 0 keeps the picture, 1 is the full style. */
  strength?: number;
  /** A number for each style, as large as its share; equal shares if none is given. */
  weights?: number[];
  /** Keep the picture's colours: `luminance` changes light and dark only; the others recolour the style first. */
  keep_colors?: "none" | "luminance" | "coral" | "histogram";
  /** Longest side of the style in pixels, larger for larger strokes; its own, at most 512, if none is given. */
  style_size?: number | null;
  /** Longest side of the result in pixels; the picture's own if none is given. */
  size?: number | null;
  /** Longest side in pixels that it is drawn at, smaller for larger strokes; a larger result takes its edges from the
picture. As large as the result if none is given. */
  draw_size?: number | null;
  /** Looks at the picture at each size, for gatys, which optimises; its own numbers if none is given. */
  iterations?: number[];
}

/** The whole picture as a file. */
export interface StylizeRequest {
  model?: string;
  /** Ids of pictures; none for a model that has a style of its own. */
  styles?: string[];
  options?: StylizeOptions;
  /** Only where the photo's mask is white. */
  use_mask?: boolean;
  save?: SaveOptions;
}

/** A texture like one or several swatches, or of a network that has learned one. */
export interface TextureRequest {
  swatches?: string[];
  /** A model that fits `texture`, in place of swatches. */
  model?: string | null;
  /** [width, height] */
  size?: [number, number];
  /** Copies side by side show no border. */
  seamless?: boolean;
  /** How much of each swatch; all alike if none is given. */
  weights?: number[];
  /** Longest side that the swatch is brought to; larger for larger grains. */
  swatch_size?: number | null;
  seed?: number;
  /** Fields of `texture` in /api/options. */
  options?: Record<string, any>;
  save?: SaveOptions;
}

/** A photo of which the zone was drawn by one model and one filter. */
export interface Variant {
  id: string;
  photo: string;
  model: string;
  /** Of the model and the filter, to show. */
  name: string;
  /** Of the preview. */
  width: number;
  height: number;
  /** With which it was made, filter and seed among them. */
  options: OptionsOutput;
  /** Pictures that were sent along for a model that takes a style; some may have been deleted since. */
  styles: string[];
  /** The zone that it was made with. */
  mask: Mask;
  /** Seconds since 1970. */
  created: number;
  /** What went otherwise than asked, such as less memory; may be empty. */
  note: Note | null;
  /** A name for all that it was drawn from: zone, parts, model, options and styles. What would have the same is not
drawn again. Empty in a variant of an older studio. */
  basis: string;
}

/** `event: variant`. */
export interface VariantReady {
  variant: Variant;
  /** From 1 on. */
  number: number;
  total: number;
}

/** Variants of a photo: each model with each filter. */
export interface VariantsRequest {
  models: string[];
  filters?: ("none" | "warm" | "cool" | "vivid" | "pale" | "contrast")[];
  /** Ids of pictures, for models that take a style. */
  styles?: string[];
  /** `filter` is of no account; `parts` only while no mask was sent. */
  options?: CollageOptions;
}
